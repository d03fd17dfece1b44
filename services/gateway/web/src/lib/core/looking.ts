/**
 * Owns, in the leader, what the socket is told about what all tabs look at: `subscribe` for open conversations,
 * `presence.watch` for people in sight, `presence.set` when nobody has looked for a while.
 */

import { MessengerError } from './failure.ts';
import type { Line, Look } from './line.ts';
import { Timers } from './timers.ts';
import type { Command, UserId } from './wire.ts';

const AWAY_MS = 5 * 60_000;
const AGAIN_MS = 2_000;
const MOST_USERS = 500;

export class Looking {
  #line: Line;
  #looks = new Map<string, Look>();
  #session = '';
  #subscribed = new Set<string>();
  #watched = new Set<UserId>();
  #status: 'online' | 'away' = 'online';
  #timers = new Timers<'away' | 'again'>();
  #offs: (() => void)[];

  constructor(line: Line) {
    this.#line = line;
    this.#offs = [
      line.looked.on(({ tab, look }) => this.#looked(tab, look)),
      line.state.watch(() => this.#settle()),
    ];
  }

  stop(): void {
    for (const off of this.#offs) off();
    this.#timers.stopAll();
  }

  /** Whether one of the tabs is what the user works in now. */
  get isFocused(): boolean {
    return [...this.#looks.values()].some((look) => look.focused);
  }

  #looked(tab: string, look: Look | null): void {
    if (look) this.#looks.set(tab, look);
    else this.#looks.delete(tab);
    this.#noteAbsence();
    this.#settle();
  }

  #noteAbsence(): void {
    const isLookedAt = [...this.#looks.values()].some((look) => look.visible);
    if (isLookedAt) {
      this.#timers.stop('away');
      this.#say('online');
    } else if (this.#status === 'online' && !this.#timers.has('away')) {
      this.#timers.start('away', AWAY_MS, () => this.#say('away'));
    }
  }

  #say(status: 'online' | 'away'): void {
    if (status === this.#status) return;
    this.#status = status;
    this.#ask({ type: 'presence.set', status });
  }

  /** Brings the socket from what it was told to what is so. */
  #settle(): void {
    const state = this.#line.state.get();
    if (!this.#line.leads || state.phase !== 'online') return;
    if (state.connected.session_id !== this.#session) this.#begin(state.connected.session_id);
    const looks = [...this.#looks.values()];
    const open = new Set(looks.flatMap((look) => look.conversations));
    for (const id of difference(open, this.#subscribed)) this.#subscribe(id);
    for (const id of difference(this.#subscribed, open)) this.#unsubscribe(id);
    this.#watch(new Set(looks.flatMap((look) => look.users).slice(0, MOST_USERS)));
  }

  #begin(session: string): void {
    this.#session = session;
    this.#subscribed.clear();
    this.#watched.clear();
    if (this.#status === 'away') this.#ask({ type: 'presence.set', status: 'away' });
  }

  #subscribe(id: string): void {
    this.#subscribed.add(id);
    this.#ask({ type: 'subscribe', conversation_id: id }, () => this.#subscribed.delete(id));
  }

  #unsubscribe(id: string): void {
    this.#subscribed.delete(id);
    this.#ask({ type: 'unsubscribe', conversation_id: id });
  }

  #watch(wanted: Set<UserId>): void {
    const come = difference(wanted, this.#watched);
    const go = difference(this.#watched, wanted);
    this.#watched = wanted;
    if (come.length) {
      this.#ask({ type: 'presence.watch', user_ids: come }, () => {
        for (const id of come) this.#watched.delete(id);
      });
    }
    if (go.length) this.#ask({ type: 'presence.unwatch', user_ids: go });
  }

  /** What fails, but may go well later, is forgotten and then settled anew. */
  #ask(command: Command, forget?: () => void): void {
    this.#line.ask(command).catch((error: unknown) => {
      if (!(forget && error instanceof MessengerError && error.retryable)) return;
      forget();
      this.#timers.start('again', error.retryAfterMs ?? AGAIN_MS, () => this.#settle());
    });
  }
}

function difference<T>(of: Set<T>, without: Set<T>): T[] {
  return [...of].filter((each) => !without.has(each));
}
