/** Owns what this tab's user has before the eyes, and what the browser says of page and network. */

import type { Line } from './line.ts';
import { Timers } from './timers.ts';
import type { UserId } from './wire.ts';

const GATHER_MS = 30;

export class Eyes {
  #line: Line;
  #open = new Counted<string>();
  #watched = new Counted<UserId>();
  #timers = new Timers<'tell'>();
  #ending = new AbortController();

  constructor(line: Line) {
    this.#line = line;
    const { signal } = this.#ending;
    const page = globalThis.document;
    if (!page) return;
    const looks = () => {
      this.#tell();
      if (page.visibilityState === 'visible') line.hint('check');
    };
    page.addEventListener('visibilitychange', looks, { signal });
    for (const event of ['focus', 'blur']) window.addEventListener(event, () => this.#tell(), { signal });
    window.addEventListener('online', () => line.hint('hurry'), { signal });
    window.addEventListener('offline', () => line.hint('lost'), { signal });
    this.#tell();
  }

  stop(): void {
    this.#ending.abort();
    this.#timers.stopAll();
  }

  get hasFocus(): boolean {
    const page = globalThis.document;
    return page !== undefined && page.visibilityState === 'visible' && page.hasFocus();
  }

  /** A conversation is on the screen, until the returned function is called. */
  open(conversationId: string): () => void {
    return this.#count(this.#open, conversationId);
  }

  sees(conversationId: string): boolean {
    return this.#open.all().includes(conversationId);
  }

  /** A person's state is on the screen. */
  watch(userId: UserId): () => void {
    return this.#count(this.#watched, userId);
  }

  #count<T>(counted: Counted<T>, what: T): () => void {
    counted.add(what);
    this.#soon();
    return () => {
      counted.take(what);
      this.#soon();
    };
  }

  #soon(): void {
    if (!this.#timers.has('tell')) this.#timers.start('tell', GATHER_MS, () => this.#tell());
  }

  #tell(): void {
    this.#timers.stop('tell');
    this.#line.look({
      conversations: this.#open.all(),
      users: this.#watched.all(),
      visible: globalThis.document?.visibilityState !== 'hidden',
      focused: this.hasFocus,
    });
  }
}

/** Things that several parts of a page may show at the same time. */
class Counted<T> {
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
