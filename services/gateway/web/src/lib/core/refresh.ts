/** Owns a live socket's token: another one is shown before it ends, so that the socket need not end with it. */

import type { Link } from './link.ts';
import { Timers } from './timers.ts';
import type { Tokens } from './tokens.ts';

/** A minute before the end, or half-way for a token that lives no two minutes. */
const LEAD_MS = 60_000;
const SHORTEST_MS = 1_000;

export class Refresher {
  #link: Link;
  #tokens: Tokens;
  #timers = new Timers<'refresh'>();

  constructor(link: Link, tokens: Tokens) {
    this.#link = link;
    this.#tokens = tokens;
  }

  /** Ends with the link: without a live socket nothing is planned. */
  start(): void {
    this.#link.state.watch(() => this.#plan());
  }

  #plan(): void {
    const ends = this.#tokens.endsAt;
    if (this.#link.state.get().phase !== 'online' || ends === null) return this.#timers.stopAll();
    const left = ends - Date.now();
    const wait = left > 2 * LEAD_MS ? left - LEAD_MS : left / 2;
    // Past the end the socket is closed with a code of its own, and that brings a new token too.
    if (left > 0) this.#timers.start('refresh', Math.max(SHORTEST_MS, wait), () => void this.#refresh());
  }

  async #refresh(): Promise<void> {
    try {
      const token = await this.#tokens.insteadOf(await this.#tokens.current());
      await this.#link.ask({ type: 'auth.refresh', token });
    } catch {
      // Half of the time that is left is waited before the next try.
    }
    this.#plan();
  }
}
