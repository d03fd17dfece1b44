/**
 * Watches whether the leader is alive. Followers ask it every second. The leader answers at once when it is
 * asked, since a browser slows the timers of a hidden tab but not its messages. A leader whose page was
 * stopped is no longer sure that it leads.
 */

import { monotonic } from '../base/clock.ts';
import { Timers } from '../base/timers.ts';

const TICK_MS = 1_000;
/** After this many ticks without an answer the leader counts as dead. */
const MAX_SILENT_TICKS = 4;
/** A leader stops being sure after this time. It is shorter than the time after which others replace it. */
const CONFIRMED_MS = 2_500;

export interface LeaderMonitorCallbacks {
  /** Asks the leader for a sign of life. */
  askLeader(): void;
  /** The leader has not answered. */
  onSilence(): void;
}

export class LeaderMonitor {
  #callbacks: LeaderMonitorCallbacks;
  #timers = new Timers<'tick'>();
  #silentTicks = 0;
  #confirmedAt = Number.NEGATIVE_INFINITY;

  constructor(callbacks: LeaderMonitorCallbacks) {
    this.#callbacks = callbacks;
  }

  stop(): void {
    this.#timers.stopAll();
  }

  /** Starts to watch the leader. */
  follow(): void {
    this.#silentTicks = 0;
    this.#timers.start('tick', TICK_MS, () => this.#checkLeader());
  }

  /** This tab is the leader from now on, and is sure of it. */
  lead(): void {
    this.confirmed();
    this.#timers.start('tick', TICK_MS, () => this.#stayConfirmed());
  }

  /** The leader has answered. */
  leaderAnswered(): void {
    this.#silentTicks = 0;
  }

  /** It has been checked that this tab is still the leader. */
  confirmed(): void {
    this.#confirmedAt = monotonic();
  }

  /**
   * Whether this tab has run without a break since it was last confirmed. Then nobody can have replaced it.
   */
  get isConfirmed(): boolean {
    return monotonic() - this.#confirmedAt < CONFIRMED_MS;
  }

  #stayConfirmed(): void {
    if (this.isConfirmed) this.confirmed();
    this.#timers.start('tick', TICK_MS, () => this.#stayConfirmed());
  }

  /**
   * This counts ticks instead of milliseconds, because a follower whose page was stopped did not ask in that
   * time.
   */
  #checkLeader(): void {
    this.#timers.start('tick', TICK_MS, () => this.#checkLeader());
    if (this.#silentTicks >= MAX_SILENT_TICKS) {
      this.#silentTicks = 0;
      return this.#callbacks.onSilence();
    }
    if (this.#silentTicks > 0) this.#callbacks.askLeader();
    this.#silentTicks += 1;
  }
}
