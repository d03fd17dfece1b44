/** Asks the gateway for pages of found messages, for all searches of this page and not faster than it allows. */

import { monotonic } from '../base/clock.ts';
import { pause } from '../base/pause.ts';
import type { RestClient } from '../connection/restClient.ts';
import { MessengerError, offlineError } from '../contract/failure.ts';
import type { SearchPage } from '../contract/wire.ts';
import type { SearchFilters } from './query.ts';

/** The gateway allows five in a second. */
const GAP_MS = 210;
const PAGE_SIZE = 30;
/** Other pages of the same user may use up what is allowed, and the gateway may have much to do. */
const MAX_REFUSALS = 5;
const GIVE_UP_MS = 15_000;
const DEFAULT_WAIT_MS = 1_000;

export interface SearchRequest {
  query: string;
  filters: SearchFilters;
  cursor: string | null;
}

export class SearchRequests {
  #rest: RestClient;
  #nextAt = 0;

  constructor(rest: RestClient) {
    this.#rest = rest;
  }

  /**
   * Rejects with MessengerError, also when `signal` aborts. What the gateway cannot do now is asked for again a few
   * times. Without a connection it rejects at once.
   */
  async page(request: SearchRequest, signal: AbortSignal): Promise<SearchPage> {
    const until = monotonic() + GIVE_UP_MS;
    for (let refusals = 0; ; refusals += 1) {
      await this.#takeTurn(signal);
      if (signal.aborted) throw offlineError();
      try {
        return await this.#ask(request, signal);
      } catch (error) {
        if (!(error instanceof MessengerError) || !error.retryable || error.code === 'offline') throw error;
        const wait = error.retryAfterMs ?? DEFAULT_WAIT_MS;
        if (refusals >= MAX_REFUSALS || monotonic() + wait > until) throw error;
        await pause(wait, signal);
      }
    }
  }

  async #takeTurn(signal: AbortSignal): Promise<void> {
    const now = monotonic();
    const at = Math.max(now, this.#nextAt);
    this.#nextAt = at + GAP_MS;
    if (at > now) await pause(at - now, signal);
  }

  #ask({ query, filters, cursor }: SearchRequest, signal: AbortSignal): Promise<SearchPage> {
    const { conversationId, from, has, after, before } = filters;
    const fields = { q: query, conversation_id: conversationId, from, has, after, before };
    return this.#rest.get('/search/messages', { ...fields, limit: PAGE_SIZE, cursor }, signal);
  }
}
