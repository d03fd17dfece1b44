/** Loads the list of conversations: at the start, and again when an unknown conversation turns up. */

import { BackOff } from '../base/backoff.ts';
import { Observable } from '../base/observable.ts';
import { Timers } from '../base/timers.ts';
import type { Page, RestClient } from '../connection/restClient.ts';
import { type Failure, MessengerError, toFailure } from '../contract/failure.ts';
import type { ConversationRow } from '../contract/wire.ts';
import type { Store } from '../conversations/store.ts';

export interface ListState {
  status: 'loading' | 'ready' | 'failed';
  failure: Failure | null;
}

/** Requests within this time cause one reload. */
const BATCH_MS = 150;
const PAGE_SIZE = 100;

export class ListLoader {
  readonly state = new Observable<ListState>({ status: 'loading', failure: null });
  /** Resolves when all conversations are known. */
  readonly loaded: Promise<void>;
  #rest: RestClient;
  #store: Store;
  #timers = new Timers<'load'>();
  #isLoading = false;
  #isRequestedAgain = false;
  #backOff = new BackOff();
  #resolveLoaded: () => void = () => undefined;

  constructor(rest: RestClient, store: Store) {
    this.#rest = rest;
    this.#store = store;
    this.loaded = new Promise((resolve) => {
      this.#resolveLoaded = resolve;
    });
  }

  stop(): void {
    this.#timers.stopAll();
  }

  /** Reloads after a short delay, because more requests may follow. */
  loadSoon(): void {
    if (!this.#timers.has('load')) this.#timers.start('load', BATCH_MS, () => void this.load());
  }

  async load(): Promise<void> {
    this.#timers.stop('load');
    if (this.#isLoading) {
      this.#isRequestedAgain = true;
      return;
    }
    this.#isLoading = true;
    this.#isRequestedAgain = false;
    try {
      await this.#loadPages();
      this.#backOff.reset();
      this.state.set({ status: 'ready', failure: null });
      this.#resolveLoaded();
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#isLoading = false;
    }
    if (this.#isRequestedAgain) this.loadSoon();
  }

  async #loadPages(): Promise<void> {
    let cursor: string | null = null;
    do {
      const page: Page<ConversationRow> = await this.#rest.get('/conversations', {
        limit: PAGE_SIZE,
        cursor,
      });
      this.#store.addRows(page.items);
      cursor = page.next_cursor;
    } while (cursor !== null);
  }

  #failed(error: unknown): void {
    const failure = toFailure(error);
    if (this.state.get().status !== 'ready') this.state.set({ status: 'failed', failure });
    const isTemporary = error instanceof MessengerError && error.retryable;
    if (isTemporary)
      this.#timers.start('load', this.#backOff.next(failure.retryAfterMs), () => void this.load());
  }
}
