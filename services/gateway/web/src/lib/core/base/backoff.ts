/**
 * Computes how long to wait before the next try. It uses full jitter, so that clients that failed together
 * come back spread out.
 */

import { monotonic } from './clock.ts';

const MIN_CEILING_MS = 1_000;
const MAX_CEILING_MS = 30_000;
/**
 * The least delay: even with a low random number, a server that closes connections at once is not flooded.
 */
const MIN_DELAY_MS = 100;
/**
 * The ceiling follows the time that the failures have lasted, not their number, so that quick failures at the
 * beginning cost nothing. A client that has been failing for 2 s tries again within 2.5 s, so it is back
 * after 4.5 s at the latest.
 */
const CEILING_FACTOR = 1.25;

export class BackOff {
  #failingSince: number | null = null;

  /** Returns the delay in ms after one more failure. */
  next(atLeastMs = 0): number {
    const now = monotonic();
    this.#failingSince ??= now;
    const ceiling = Math.min(
      MAX_CEILING_MS,
      Math.max(MIN_CEILING_MS, (now - this.#failingSince) * CEILING_FACTOR),
    );
    return Math.max(atLeastMs, MIN_DELAY_MS, Math.random() * ceiling);
  }

  /** Call after a success: the next failure counts as the first one. */
  reset(): void {
    this.#failingSince = null;
  }
}
