/** A search whose answers a test gives when it likes. */

import { EventEmitter, Observable } from '../src/lib/core/base/observable.ts';
import type { Message, SearchHit, SearchPage } from '../src/lib/core/contract/wire.ts';
import { findSomeWords } from '../src/lib/core/search/matching.ts';
import { MessageSearch, type SearchConnection } from '../src/lib/core/search/messageSearch.ts';
import type { SearchRequest } from '../src/lib/core/search/searchRequests.ts';
import type { SharedEvent } from '../src/lib/core/tabs/messages.ts';
import { advance } from './setup.ts';

export const PAUSE_MS = 200;

interface Asked extends SearchRequest {
  signal: AbortSignal;
  answer: (texts: string[], rest?: Partial<SearchPage>) => void;
  refuse: (error: Error) => void;
}

export const message = (id: string, content: string, pos = 1): Message => ({
  id,
  conversation_id: 'c',
  seq: 1,
  pos,
  version: 1,
  sender_id: 2,
  content,
  message_type: 'text',
  client_message_id: null,
  reply_to: null,
  file_url: null,
  file_name: null,
  file_size: null,
  created_at: '2026-01-01T00:00:00Z',
  edited_at: null,
  deleted_at: null,
});

const hit = (text: string, query: string): SearchHit => ({
  message: message(text, text),
  conversation_id: 'c',
  highlights: findSomeWords(text, query).map(([...place]) => place),
});

export function searching() {
  const asked: Asked[] = [];
  const events = new EventEmitter<SharedEvent>();
  const phase = new Observable({ phase: 'online' });
  const connection = { events, state: phase } as unknown as SearchConnection;
  const search = new MessageSearch(
    (request, signal) =>
      new Promise((resolve, reject) => {
        const answer: Asked['answer'] = (texts, rest = {}) =>
          resolve({
            items: texts.map((text) => hit(text, request.query)),
            users: {},
            has_more: (rest.next_cursor ?? null) !== null,
            next_cursor: null,
            ...rest,
          });
        asked.push({ ...request, signal, answer, refuse: reject });
      }),
    connection,
  );
  search.start();
  const last = () => asked.at(-1) as Asked;
  const ask = async (...typed: Parameters<MessageSearch['search']>) => {
    search.search(...typed);
    await advance(PAUSE_MS);
    return last();
  };
  const state = async () => {
    await advance(0);
    const { hits, ...rest } = search.state.get();
    return { ...rest, texts: hits.map((each) => each.message.content) };
  };
  const publish = (type: 'message.edited' | 'message.deleted', data: Message) =>
    events.emit({ type, conversation_id: 'c', message_id: data.id, pos: data.pos, data } as SharedEvent);
  const online = (isOnline: boolean) => phase.set({ phase: isOnline ? 'online' : 'waiting' });
  return { search, asked, ask, last, state, publish, online };
}
