/**
 * Knows the gateway's time. It learns the time from the gateway's frames, since a browser's wall clock may be
 * hours off and may jump.
 */

import { monotonic } from '../base/clock.ts';
import type { Frame } from '../contract/wire.ts';

export class ServerClock {
  /**
   * The gateway's time at the moment when this page's monotonic clock began. Null until a frame has told the
   * time.
   */
  #startMillis: number | null = null;

  /** Whether a frame has told the gateway's time. */
  get isKnown(): boolean {
    return this.#startMillis !== null;
  }

  /** The gateway's time in milliseconds, or this browser's own time while the gateway's is unknown. */
  now = (): number => (this.#startMillis === null ? Date.now() : this.#startMillis + monotonic());

  learn(millis: number): void {
    if (Number.isFinite(millis)) this.#startMillis = millis - monotonic();
  }

  /**
   * Each `connected` frame and each `pong` tells the time again. So the first of them after a sleep corrects
   * the clock.
   */
  learnFrom(frame: Frame): void {
    const tells = frame.type === 'pong' || (frame.type === 'system' && frame.event === 'connected');
    if (tells && 'timestamp' in frame) this.learn(Date.parse(String(frame.timestamp)));
  }
}
