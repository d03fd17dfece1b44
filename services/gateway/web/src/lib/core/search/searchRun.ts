/**
 * One search for one query: it asks for page after page. The gateway may answer before it has searched everything;
 * then the search goes on by itself, a few times, or for some seconds while it has found nothing.
 */

import { monotonic } from '../base/clock.ts';
import { withOpenSyllable } from '../base/hangul.ts';
import type { SearchHit, SearchPage } from '../contract/wire.ts';
import { mayBecome } from './matching.ts';
import { isTooShort, type SearchFilters } from './query.ts';
import type { SearchRequest } from './searchRequests.ts';

/** So many hits are enough for one load, even if the gateway has not searched everything. */
const ENOUGH = 10;
const MAX_PAGES = 5;
/** So long a load goes on while it finds nothing. On a busy machine the gateway gets little done in one request. */
const MAX_VAIN_MS = 15_000;

export type AskForPage = (request: SearchRequest, signal: AbortSignal) => Promise<SearchPage>;

export class SearchRun {
  hits: SearchHit[] = [];
  /** Whether the gateway has not searched everything up to `cursor`. */
  isPartial = false;
  cursor: string | null = null;
  readonly query: string;
  readonly filters: SearchFilters;
  #ask: AskForPage;
  /** What the gateway is asked for: the query, or the query with an unfinished syllable. */
  #asked: string;
  #abort = new AbortController();

  constructor(query: string, filters: SearchFilters, ask: AskForPage) {
    this.query = query;
    this.filters = filters;
    this.#ask = ask;
    this.#asked = query;
  }

  get isOver(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Whether the query is taken for unfinished, since nothing was found for it as it is. */
  get isOpen(): boolean {
    return this.#asked !== this.query;
  }

  end(): void {
    this.#abort.abort();
  }

  /**
   * Loads more hits. Calls `onNews` whenever some have come, and when none have come in the time in which most searches
   * end. Rejects with MessengerError.
   */
  async load(onNews: () => void): Promise<void> {
    const wanted = this.hits.length + ENOUGH;
    const vainUntil = monotonic() + MAX_VAIN_MS;
    let isVain = true;
    for (let pages = 1; pages <= MAX_PAGES || (isVain && monotonic() < vainUntil); pages += 1) {
      const found = await this.#loadPage();
      if (this.isOver) return;
      if (found > 0) isVain = false;
      if (found > 0 || pages === MAX_PAGES) onNews();
      const isDone = this.cursor === null && !this.#tryOpen();
      const mayStop = !this.isPartial && (found > 0 || !this.isOpen);
      if (isDone || (this.cursor !== null && (mayStop || this.hits.length >= wanted))) return;
    }
  }

  async #loadPage(): Promise<number> {
    const request = { query: this.#asked, filters: this.filters, cursor: this.cursor };
    const page = await this.#ask(request, this.#abort.signal);
    const known = new Set(this.hits.map(({ message }) => message.id));
    const found = page.items.filter(
      ({ message }) => !known.has(message.id) && (!this.isOpen || mayBecome(message, this.query)),
    );
    this.hits = [...this.hits, ...found];
    this.cursor = page.next_cursor;
    this.isPartial = page.partial === true && page.next_cursor !== null;
    return found.length;
  }

  /** An input method shows 횡 on the way to 회의. If nothing has it, what it may become is searched for. */
  #tryOpen(): boolean {
    const open = this.isOpen || this.hits.length > 0 ? null : withOpenSyllable(this.query);
    if (open === null || isTooShort(open)) return false;
    this.#asked = open;
    return true;
  }
}
