/**
 * Finds messages while the user types: one request after a pause, and only the newest search counts. What was found
 * stays until the next answer, so that nothing flickers. It follows edits and deletions of what it has found.
 */

import { Observable } from '../base/observable.ts';
import { Timers } from '../base/timers.ts';
import { type Failure, toFailure } from '../contract/failure.ts';
import type { Message, SearchHit } from '../contract/wire.ts';
import type { SharedEvent } from '../tabs/messages.ts';
import type { SharedConnection } from '../tabs/sharedConnection.ts';
import { findSomeWords, hasWords, mayBecome } from './matching.ts';
import { isTooShort, keyOf, queryOf, type SearchFilters } from './query.ts';
import { type AskForPage, SearchRun } from './searchRun.ts';

/** Short enough to feel immediate, and long enough to join the key presses of a word or a syllable. */
const PAUSE_MS = 200;
const LINK = /https?:\/\//i;

export interface SearchState {
  /**
   * `idle`: nothing is searched for. `short`: the query is too short. `searching`: the hits are those of the last
   * answer until the next one comes.
   */
  status: 'idle' | 'short' | 'searching' | 'ready' | 'failed';
  /** What `hits` were found for. */
  query: string;
  /** The newest message first. */
  hits: readonly SearchHit[];
  /**
   * Whether the gateway has not searched everything that `hits` covers. While the search goes on by itself the status is
   * `searching`; after that `loadMore` goes on.
   */
  isPartial: boolean;
  hasMore: boolean;
  isLoadingMore: boolean;
  /** Why the search, or loading more, has failed. */
  failure: Failure | null;
}

export const IDLE_MESSAGE_SEARCH: SearchState = {
  status: 'idle',
  query: '',
  hits: [],
  isPartial: false,
  hasMore: false,
  isLoadingMore: false,
  failure: null,
};

/** What a search needs of the connection. */
export type SearchConnection = Pick<SharedConnection, 'events' | 'state'>;

export class MessageSearch {
  readonly state = new Observable<SearchState>(IDLE_MESSAGE_SEARCH);
  #ask: AskForPage;
  #connection: SearchConnection;
  #timers = new Timers<'ask'>();
  #key = keyOf('', {});
  #run: SearchRun | null = null;
  #offs: (() => void)[] = [];

  constructor(ask: AskForPage, connection: SearchConnection) {
    this.#ask = ask;
    this.#connection = connection;
  }

  start(): void {
    this.#offs = [
      this.#connection.events.on((event) => this.#applyEvent(event)),
      this.#connection.state.watch(({ phase }) => phase === 'online' && this.#retryIfOffline()),
    ];
  }

  stop(): void {
    this.search('');
    for (const off of this.#offs) off();
  }

  /** Searches for messages with all words of the text, in any order. Blank text ends the search. */
  search(text: string, filters: SearchFilters = {}): void {
    const query = queryOf(text);
    const key = query === '' ? keyOf('', {}) : keyOf(query, filters);
    if (key === this.#key) return;
    const isSameQuery = query === this.#run?.query;
    this.#key = key;
    this.#end();
    if (query === '') return this.state.set(IDLE_MESSAGE_SEARCH);
    if (isTooShort(query)) return this.state.set({ ...IDLE_MESSAGE_SEARCH, status: 'short' });
    this.#run = new SearchRun(query, filters, this.#ask);
    this.#update({
      status: 'searching',
      isPartial: false,
      hasMore: false,
      isLoadingMore: false,
      failure: null,
    });
    // A filter is chosen with one press.
    this.#begin(this.#run, isSameQuery ? 0 : PAUSE_MS);
  }

  /** Loads older hits. After a failure it tries again. */
  loadMore(): void {
    const { status, hasMore, isLoadingMore } = this.state.get();
    if (status === 'failed') return this.retry();
    if (!this.#run || status !== 'ready' || !hasMore || isLoadingMore) return;
    this.#update({ isLoadingMore: true, failure: null });
    void this.#load(this.#run);
  }

  /** Tries again what has failed. */
  retry(): void {
    const { status, failure } = this.state.get();
    if (status === 'ready' && failure) return this.loadMore();
    if (!this.#run || status !== 'failed') return;
    this.#update({ status: 'searching', failure: null });
    this.#begin(this.#run, 0);
  }

  #begin(run: SearchRun, afterMs: number): void {
    this.#timers.start('ask', afterMs, () => void this.#load(run));
  }

  #end(): void {
    this.#timers.stopAll();
    this.#run?.end();
    this.#run = null;
  }

  async #load(run: SearchRun): Promise<void> {
    try {
      await run.load(() => this.#show(run));
      if (run.isOver) return;
      this.#show(run);
      this.#update({ status: 'ready', hasMore: run.cursor !== null, isLoadingMore: false });
    } catch (error) {
      if (!run.isOver) this.#failed(run, toFailure(error));
    }
  }

  /** What was found stays. What an earlier query found would be wrong. */
  #failed(run: SearchRun, failure: Failure): void {
    const hasMore = run.cursor !== null;
    this.#show(run);
    this.#update({ status: hasMore ? 'ready' : 'failed', hasMore, isLoadingMore: false, failure });
  }

  #show({ query, hits, isPartial }: SearchRun): void {
    this.#update({ query, hits, isPartial });
  }

  #retryIfOffline(): void {
    if (this.state.get().failure?.retryable) this.retry();
  }

  #applyEvent(event: SharedEvent): void {
    const isChange = event.type === 'message.edited' || event.type === 'message.deleted';
    // Answers to this user's own commands have the same types.
    if (!isChange || !('data' in event)) return;
    const { data } = event;
    const run = this.#run;
    const hits = this.state.get().hits;
    const known = hits.find(({ message }) => message.id === data.id);
    if (!run || !known || data.pos <= known.message.pos) return;
    const change = (all: readonly SearchHit[]) => all.flatMap((hit) => changed(hit, known, data, run));
    run.hits = change(run.hits);
    this.#update({ hits: change(hits) });
  }

  #update(change: Partial<SearchState>): void {
    this.state.update((state) => ({ ...state, ...change }));
  }
}

/** A hit after a change of its message: none if the message does not match any more. */
function changed(hit: SearchHit, known: SearchHit, message: Message, run: SearchRun): SearchHit[] {
  if (hit.message.id !== known.message.id) return [hit];
  const isFound = hasWords(message, run.query) || (run.isOpen && mayBecome(message, run.query));
  const isLinked = run.filters.has !== 'link' || LINK.test(message.content ?? '');
  if (message.deleted_at || !isFound || !isLinked) return [];
  const highlights = findSomeWords(message.content ?? '', run.query).map(([...place]) => place);
  return [{ ...hit, message: { ...hit.message, ...message }, highlights }];
}
