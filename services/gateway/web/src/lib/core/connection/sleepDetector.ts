/**
 * Detects that the page did not run for a while, because the machine slept or the browser froze the page.
 * During a sleep the monotonic clock may stand still, and the wall clock may be set. So the clock that moved
 * further counts.
 */

import { monotonic } from '../base/clock.ts';
import { Timers } from '../base/timers.ts';

const TICK_MS = 5_000;
/** A timer that is this late was not just delayed by other work. */
const SLEEP_MS = 5_000;

export class SleepDetector {
  #onWake: () => void;
  #timers = new Timers<'tick'>();
  #ending = new AbortController();

  /** `onWake` is called shortly after the page runs again. */
  constructor(onWake: () => void) {
    this.#onWake = onWake;
  }

  start(): void {
    const { signal } = this.#ending;
    // The browser fires these events when a page returns from its cache or is no longer frozen.
    globalThis.window?.addEventListener('pageshow', (event) => event.persisted && this.#onWake(), { signal });
    globalThis.document?.addEventListener('resume', () => this.#onWake(), { signal });
    this.#tick();
  }

  stop(): void {
    this.#ending.abort();
    this.#timers.stopAll();
  }

  #tick(): void {
    const since = { monotonic: monotonic(), wall: Date.now() };
    this.#timers.start('tick', TICK_MS, () => {
      const passed = Math.max(monotonic() - since.monotonic, Date.now() - since.wall);
      this.#tick();
      if (passed > TICK_MS + SLEEP_MS) this.#onWake();
    });
  }
}
