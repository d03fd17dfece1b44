/** The search of the gateway in memory. */

import type { Message, SearchHit } from '../src/lib/core/contract/wire.ts';
import { findSomeWords, hasWords } from '../src/lib/core/search/matching.ts';

interface Messages {
  messages: Message[];
}

export class FakeSearches {
  #gateway: Messages;
  /** The `seq` at which each of the next searches runs out of time. */
  readonly stops: number[] = [];
  /** The waits in seconds with which the next searches are refused. */
  readonly refusals: number[] = [];
  /** Why they are refused. */
  refusedFor: 'rate_limited' | 'unavailable' | 'forbidden' = 'rate_limited';

  constructor(gateway: Messages) {
    this.#gateway = gateway;
  }

  page(query: URLSearchParams): Response | Record<string, unknown> {
    const wait = this.refusals.shift();
    if (wait !== undefined) return refusal(this.refusedFor, wait);
    const before = Number(query.get('cursor') ?? Number.POSITIVE_INFINITY);
    const stop = this.stops.shift();
    const limit = Number(query.get('limit'));
    const q = query.get('q') ?? '';
    const found = this.#gateway.messages
      .filter((message) => message.seq < before && message.seq >= (stop ?? 0) && !message.deleted_at)
      .filter((message) => hasWords(message, q))
      .reverse();
    const items = found.slice(0, limit).map((message) => hitOf(message, q));
    const next = found.length > limit ? items.at(-1)?.message.seq : stop;
    const hasMore = next !== undefined;
    return {
      items,
      users: {},
      has_more: hasMore,
      next_cursor: hasMore ? `${next}` : null,
      ...(found.length <= limit && stop !== undefined ? { partial: true } : {}),
    };
  }
}

function hitOf(message: Message, q: string): SearchHit {
  const highlights = findSomeWords(message.content ?? '', q).map(([...place]) => place);
  return { message, conversation_id: message.conversation_id, highlights };
}

const STATUSES = { rate_limited: 429, unavailable: 503, forbidden: 403 };

function refusal(code: FakeSearches['refusedFor'], seconds: number): Response {
  return Response.json(
    { code, title: code, retryable: code !== 'forbidden' },
    { status: STATUSES[code], headers: { 'Retry-After': `${seconds}` } },
  );
}
