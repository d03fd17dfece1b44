/** Owns the loading of the conversations: at the start, and again whenever one turns up that isn't known. */

import { backOff } from './backoff.ts';
import { Cell } from './cell.ts';
import { type Failure, failureOf, MessengerError } from './failure.ts';
import type { Page, Rest } from './rest.ts';
import type { Store } from './store.ts';
import { Timers } from './timers.ts';
import type { ConversationRow } from './wire.ts';

export interface ListState {
  status: 'loading' | 'ready' | 'failed';
  failure: Failure | null;
}

/** Several reasons within this time are one reload. */
const GATHER_MS = 150;
const PAGE = 100;

export class List {
  readonly state = new Cell<ListState>({ status: 'loading', failure: null });
  /** Resolves when all conversations are known. */
  readonly loaded: Promise<void>;
  #rest: Rest;
  #store: Store;
  #timers = new Timers<'load'>();
  #isLoading = false;
  #isAsked = false;
  #attempt = 0;
  #done: () => void = () => undefined;

  constructor(rest: Rest, store: Store) {
    this.#rest = rest;
    this.#store = store;
    this.loaded = new Promise((resolve) => {
      this.#done = resolve;
    });
  }

  stop(): void {
    this.#timers.stopAll();
  }

  /** Soon: other reasons may follow. */
  want(): void {
    if (!this.#timers.has('load')) this.#timers.start('load', GATHER_MS, () => void this.load());
  }

  async load(): Promise<void> {
    this.#timers.stop('load');
    if (this.#isLoading) {
      this.#isAsked = true;
      return;
    }
    this.#isLoading = true;
    this.#isAsked = false;
    try {
      await this.#pages();
      this.#attempt = 0;
      this.state.set({ status: 'ready', failure: null });
      this.#done();
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#isLoading = false;
    }
    if (this.#isAsked) this.want();
  }

  async #pages(): Promise<void> {
    let cursor: string | null = null;
    do {
      const page: Page<ConversationRow> = await this.#rest.get('/conversations', { limit: PAGE, cursor });
      this.#store.addRows(page.items);
      cursor = page.next_cursor;
    } while (cursor !== null);
  }

  #failed(error: unknown): void {
    const failure = failureOf(error);
    if (this.state.get().status !== 'ready') this.state.set({ status: 'failed', failure });
    const mayPass = error instanceof MessengerError && error.retryable;
    if (mayPass)
      this.#timers.start('load', backOff(this.#attempt, failure.retryAfterMs), () => void this.load());
    this.#attempt += 1;
  }
}
