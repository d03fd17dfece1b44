/**
 * Tells the gateway, in the leader, what all tabs show: `subscribe` for open conversations, `presence.watch`
 * for visible users, and `presence.set` when no tab has been visible for a while.
 */

import { Timers } from '../base/timers.ts';
import { MessengerError } from '../contract/failure.ts';
import type { Command, UserId } from '../contract/wire.ts';
import type { ViewState } from './messages.ts';
import type { SharedConnection } from './sharedConnection.ts';

const AWAY_AFTER_MS = 5 * 60_000;
const RETRY_MS = 2_000;
const MAX_USERS = 500;

export class Subscriptions {
  #connection: SharedConnection;
  #views = new Map<string, ViewState>();
  #session = '';
  #subscribed = new Set<string>();
  #watched = new Set<UserId>();
  #status: 'online' | 'away' = 'online';
  #timers = new Timers<'away' | 'again'>();
  #offs: (() => void)[];

  constructor(connection: SharedConnection) {
    this.#connection = connection;
    this.#offs = [
      connection.viewChanged.on(({ tab, view }) => this.#viewChanged(tab, view)),
      connection.state.watch(() => this.#reconcile()),
    ];
  }

  stop(): void {
    for (const off of this.#offs) off();
    this.#timers.stopAll();
  }

  /** Whether the user works in one of the tabs now. */
  get isFocused(): boolean {
    return [...this.#views.values()].some((view) => view.focused);
  }

  #viewChanged(tab: string, view: ViewState | null): void {
    if (view) this.#views.set(tab, view);
    else this.#views.delete(tab);
    this.#updateStatus();
    this.#reconcile();
  }

  #updateStatus(): void {
    const isVisible = [...this.#views.values()].some((view) => view.visible);
    if (isVisible) {
      this.#timers.stop('away');
      this.#setStatus('online');
    } else if (this.#status === 'online' && !this.#timers.has('away')) {
      this.#timers.start('away', AWAY_AFTER_MS, () => this.#setStatus('away'));
    }
  }

  #setStatus(status: 'online' | 'away'): void {
    if (status === this.#status) return;
    this.#status = status;
    this.#ask({ type: 'presence.set', status });
  }

  /** Sends the differences between what the socket was told and what the tabs show. */
  #reconcile(): void {
    const state = this.#connection.state.get();
    if (!this.#connection.isLeader || state.phase !== 'online') return;
    if (state.connected.session_id !== this.#session) this.#newSession(state.connected.session_id);
    const views = [...this.#views.values()];
    const open = new Set(views.flatMap((view) => view.conversations));
    for (const id of difference(open, this.#subscribed)) this.#subscribe(id);
    for (const id of difference(this.#subscribed, open)) this.#unsubscribe(id);
    this.#watch(new Set(views.flatMap((view) => view.users).slice(0, MAX_USERS)));
  }

  #newSession(session: string): void {
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
    const added = difference(wanted, this.#watched);
    const removed = difference(this.#watched, wanted);
    this.#watched = wanted;
    if (added.length) {
      this.#ask({ type: 'presence.watch', user_ids: added }, () => {
        for (const id of added) this.#watched.delete(id);
      });
    }
    if (removed.length) this.#ask({ type: 'presence.unwatch', user_ids: removed });
  }

  /** A command that failed for a temporary reason is forgotten, and sent again by the next `#reconcile`. */
  #ask(command: Command, forget?: () => void): void {
    this.#connection.ask(command).catch((error: unknown) => {
      if (!(forget && error instanceof MessengerError && error.retryable)) return;
      forget();
      this.#timers.start('again', error.retryAfterMs ?? RETRY_MS, () => this.#reconcile());
    });
  }
}

function difference<T>(of: Set<T>, without: Set<T>): T[] {
  return [...of].filter((each) => !without.has(each));
}
