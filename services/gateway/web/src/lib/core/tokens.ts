/** Owns the token: asks the host application for it, once for all who need it, and knows when it ends. */

import type { UserId } from './wire.ts';

/** `fresh` asks for another one than the last: that was refused, or is about to end. */
export type GetToken = (ask: { fresh: boolean }) => Promise<string> | string;

/** Before its end by this much a token counts as ended: clocks differ, and requests take time. */
const MARGIN_MS = 10_000;

interface Claims {
  sub?: unknown;
  exp?: unknown;
}

function claimsOf(token: string): Claims {
  try {
    const part = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const found: unknown = JSON.parse(atob(part));
    return typeof found === 'object' && found !== null ? found : {};
  } catch {
    return {};
  }
}

export class Tokens {
  #get: GetToken;
  #held: string | null = null;
  #wasHeld = false;
  #asking: Promise<string> | null = null;

  constructor(get: GetToken) {
    this.#get = get;
  }

  /** The user that the token is of; 0 if it doesn't say, which the gateway will refuse. */
  get userId(): UserId {
    const id = Number(claimsOf(this.#held ?? '').sub);
    return Number.isSafeInteger(id) && id > 0 ? id : 0;
  }

  /** When the held token ends, in this clock's milliseconds; null if it doesn't say. */
  get endsAt(): number | null {
    const { exp } = claimsOf(this.#held ?? '');
    return typeof exp === 'number' ? exp * 1000 : null;
  }

  /** The next who asks gets another one. */
  forget(): void {
    this.#wasHeld ||= this.#held !== null;
    this.#held = null;
  }

  async current(): Promise<string> {
    const ends = this.endsAt;
    const isGood = this.#held !== null && (ends === null || ends - MARGIN_MS > Date.now());
    return isGood && this.#held !== null ? this.#held : this.#ask(this.#held !== null || this.#wasHeld);
  }

  /** Another token than `refused`, if the host application has one: whoever asks meanwhile gets the same. */
  async insteadOf(refused: string): Promise<string> {
    return this.#held !== null && this.#held !== refused ? this.current() : this.#ask(true);
  }

  #ask(fresh: boolean): Promise<string> {
    this.#asking ??= this.#askOnce(fresh).finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #askOnce(fresh: boolean): Promise<string> {
    const token = await this.#get({ fresh });
    if (typeof token !== 'string' || token === '') throw new TypeError('getToken gave no token');
    this.#held = token;
    return token;
  }
}
