/**
 * Tracks what this tab shows, and passes it to the shared connection. It also passes on the browser's events
 * about visibility and network.
 */

import { Timers } from '../base/timers.ts';
import type { UserId } from '../contract/wire.ts';
import type { SharedConnection } from './sharedConnection.ts';

const BATCH_MS = 30;

export class TabView {
  #connection: SharedConnection;
  #open = new Counter<string>();
  #watched = new Counter<UserId>();
  #timers = new Timers<'tell'>();
  #ending = new AbortController();

  constructor(connection: SharedConnection) {
    this.#connection = connection;
    const { signal } = this.#ending;
    const page = globalThis.document;
    if (!page) return;
    const visibilityChanged = () => {
      this.#report();
      if (page.visibilityState === 'visible') connection.hint('check');
    };
    page.addEventListener('visibilitychange', visibilityChanged, { signal });
    for (const event of ['focus', 'blur']) window.addEventListener(event, () => this.#report(), { signal });
    window.addEventListener('online', () => connection.hint('hurry'), { signal });
    window.addEventListener('offline', () => connection.hint('lost'), { signal });
    this.#report();
  }

  stop(): void {
    this.#ending.abort();
    this.#timers.stopAll();
  }

  get hasFocus(): boolean {
    const page = globalThis.document;
    return page !== undefined && page.visibilityState === 'visible' && page.hasFocus();
  }

  /** Marks a conversation as open until the returned function is called. */
  open(conversationId: string): () => void {
    return this.#hold(this.#open, conversationId);
  }

  isOpen(conversationId: string): boolean {
    return this.#open.all().includes(conversationId);
  }

  /** Marks a user's presence as visible until the returned function is called. */
  watch(userId: UserId): () => void {
    return this.#hold(this.#watched, userId);
  }

  #hold<T>(counted: Counter<T>, what: T): () => void {
    counted.add(what);
    this.#reportSoon();
    return () => {
      counted.take(what);
      this.#reportSoon();
    };
  }

  #reportSoon(): void {
    if (!this.#timers.has('tell')) this.#timers.start('tell', BATCH_MS, () => this.#report());
  }

  #report(): void {
    this.#timers.stop('tell');
    this.#connection.setView({
      conversations: this.#open.all(),
      users: this.#watched.all(),
      visible: globalThis.document?.visibilityState !== 'hidden',
      focused: this.hasFocus,
    });
  }
}

/** Counts uses, since several parts of a page may show the same thing. */
class Counter<T> {
  #counts = new Map<T, number>();

  add(what: T): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  take(what: T): void {
    const left = (this.#counts.get(what) ?? 1) - 1;
    if (left > 0) this.#counts.set(what, left);
    else this.#counts.delete(what);
  }

  all(): T[] {
    return [...this.#counts.keys()];
  }
}
