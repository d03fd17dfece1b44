/**
 * Gets tokens from the host application. Callers that need a token at the same time share one request. It
 * also knows when the token ends.
 */

import { withDeadline } from '../base/deadline.ts';
import { ServerClock } from '../connection/serverClock.ts';
import { MessengerError } from '../contract/failure.ts';
import type { UserId } from '../contract/wire.ts';

/** `fresh` is true when the last token was refused or is about to end: another one is needed. */
export type GetToken = (ask: { fresh: boolean }) => Promise<string> | string;

/** If the host application has not answered after this time, the request fails and is tried again. */
const TIMEOUT_MS = 30_000;
/** A token counts as expired this long before its end, because clocks differ and requests take time. */
const EXPIRY_MARGIN_MS = 10_000;

interface Claims {
  sub?: unknown;
  exp?: unknown;
}

function parseClaims(token: string): Claims {
  try {
    const part = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const found: unknown = JSON.parse(atob(part));
    return typeof found === 'object' && found !== null ? found : {};
  } catch {
    return {};
  }
}

const timeoutError = () =>
  new MessengerError({ code: 'no_token', message: 'getToken did not answer', retryable: true });

export class Tokens {
  /** The clock that decides whether a token has expired. */
  readonly clock: ServerClock;
  #get: GetToken;
  #token: string | null = null;
  #hadToken = false;
  #isClockWrong = false;
  #pendingRequest: Promise<string> | null = null;

  constructor(get: GetToken, clock = new ServerClock()) {
    this.#get = get;
    this.clock = clock;
  }

  /** The user of the held token. It is 0 if the token names none; the gateway refuses such a token. */
  get userId(): UserId {
    const id = Number(parseClaims(this.#token ?? '').sub);
    return Number.isSafeInteger(id) && id > 0 ? id : 0;
  }

  /** When the held token ends, in milliseconds of the gateway's time. Null if the token does not say. */
  get endsAt(): number | null {
    const { exp } = parseClaims(this.#token ?? '');
    return typeof exp === 'number' ? exp * 1000 : null;
  }

  /** Drops the held token: the next caller gets a new one. */
  forget(): void {
    this.#hadToken ||= this.#token !== null;
    this.#token = null;
  }

  async current(): Promise<string> {
    if (this.#token !== null && this.#isUsable()) return this.#token;
    return this.#request(this.#token !== null || this.#hadToken);
  }

  /**
   * Returns another token than `refused`, if the host application has one. Callers at the same time get the
   * same token.
   */
  async replace(refused: string): Promise<string> {
    return this.#token !== null && this.#token !== refused ? this.current() : this.#request(true);
  }

  /**
   * If a token had already ended when it arrived, this browser's clock is wrong. Then only the gateway can
   * judge the token.
   */
  #isUsable(): boolean {
    const ends = this.endsAt;
    if (ends === null || (this.#isClockWrong && !this.clock.isKnown)) return true;
    return ends - EXPIRY_MARGIN_MS > this.clock.now();
  }

  #request(fresh: boolean): Promise<string> {
    this.#pendingRequest ??= this.#requestOnce(fresh).finally(() => {
      this.#pendingRequest = null;
    });
    return this.#pendingRequest;
  }

  async #requestOnce(fresh: boolean): Promise<string> {
    const token = await withDeadline(Promise.resolve(this.#get({ fresh })), TIMEOUT_MS, timeoutError);
    if (typeof token !== 'string' || token === '') throw new TypeError('getToken gave no token');
    this.#token = token;
    this.#isClockWrong = this.endsAt !== null && this.endsAt <= Date.now();
    return token;
  }
}
