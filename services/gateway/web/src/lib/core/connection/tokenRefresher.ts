/** Renews the token on the open socket before it expires, so that the socket does not end with it. */

import { Timers } from '../base/timers.ts';
import type { SocketConnection } from './socketConnection.ts';
import type { Tokens } from './tokens.ts';

/** The token is renewed a minute before it ends, or half-way for a token that lives less than two minutes. */
const REFRESH_BEFORE_MS = 60_000;
const MIN_DELAY_MS = 1_000;

export class TokenRefresher {
  #connection: SocketConnection;
  #tokens: Tokens;
  #timers = new Timers<'refresh'>();

  constructor(connection: SocketConnection, tokens: Tokens) {
    this.#connection = connection;
    this.#tokens = tokens;
  }

  /** The observer ends with the connection. Without a live socket no renewal is planned. */
  start(): void {
    this.#connection.state.watch(() => this.#schedule());
  }

  #schedule(): void {
    const ends = this.#tokens.endsAt;
    if (this.#connection.state.get().phase !== 'online' || ends === null) return this.#timers.stopAll();
    const left = ends - this.#tokens.clock.now();
    const wait = left > 2 * REFRESH_BEFORE_MS ? left - REFRESH_BEFORE_MS : left / 2;
    // After the token's end the gateway closes the socket with its own code, which leads to a new token as
    // well.
    if (left > 0) this.#timers.start('refresh', Math.max(MIN_DELAY_MS, wait), () => void this.#refresh());
  }

  async #refresh(): Promise<void> {
    try {
      const token = await this.#tokens.replace(await this.#tokens.current());
      await this.#connection.ask({ type: 'auth.refresh', token });
    } catch {
      // The next try comes after half of the remaining time.
    }
    this.#schedule();
  }
}
