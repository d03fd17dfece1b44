/** The search for messages: its pause and its pace, which answer counts, and what becomes of what it has found. */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EventEmitter, Observable } from '../src/lib/core/base/observable.ts';
import { MessengerError, offlineError } from '../src/lib/core/contract/failure.ts';
import type { Message, SearchHit, SearchPage } from '../src/lib/core/contract/wire.ts';
import { findSomeWords } from '../src/lib/core/search/matching.ts';
import { MessageSearch, type SearchConnection } from '../src/lib/core/search/messageSearch.ts';
import type { SearchRequest } from '../src/lib/core/search/searchRequests.ts';
import type { SharedEvent } from '../src/lib/core/tabs/messages.ts';
import { advance, setUpMessenger } from './setup.ts';

const PAUSE_MS = 200;

interface Asked extends SearchRequest {
  signal: AbortSignal;
  answer: (texts: string[], rest?: Partial<SearchPage>) => void;
  refuse: (error: Error) => void;
}

const message = (id: string, content: string, pos = 1): Message => ({
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

/** A search whose answers a test gives when it likes. */
function searching() {
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

describe('while the user types', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('key presses in quick succession are one request, after a pause', async () => {
    const { search, asked, state } = searching();
    for (const query of ['te', 'tea', ' tea ']) search.search(query);
    await advance(PAUSE_MS - 1);
    expect(asked).toHaveLength(0);
    await advance(1);
    expect(asked.map(({ query }) => query)).toEqual(['tea']);
    asked[0]?.answer(['tea time']);
    expect(await state()).toMatchObject({ status: 'ready', query: 'tea', texts: ['tea time'] });
  });

  test('an earlier request is aborted, and its answer changes nothing', async () => {
    const { ask, state } = searching();
    const first = await ask('te');
    const second = await ask('tea');
    expect(first.signal.aborted).toBe(true);
    expect(second.signal.aborted).toBe(false);
    second.answer(['tea']);
    await state();
    first.answer(['text']);
    expect(await state()).toMatchObject({ status: 'ready', texts: ['tea'] });
  });

  test('what was found stays until the next answer, also if that is empty', async () => {
    const { ask, state } = searching();
    (await ask('te')).answer(['tea', 'text']);
    await state();
    const next = await ask('tex');
    expect(await state()).toMatchObject({ status: 'searching', texts: ['tea', 'text'], hasMore: false });
    next.answer([]);
    expect(await state()).toMatchObject({ status: 'ready', texts: [] });
  });

  test('a filter is searched with at once', async () => {
    const { search, ask, last } = searching();
    await ask('tea');
    search.search('tea', { has: 'file' });
    await advance(0);
    expect(last()).toMatchObject({ query: 'tea', filters: { has: 'file' } });
  });

  test.each([
    ['', 'idle'],
    [' \u3164', 'idle'],
    ['a', 'short'],
    ['ㅎ', 'short'],
    ['한', 'short'],
    ['a\u200b', 'short'],
  ])('%j is not searched for: %s', async (typed, status) => {
    const { ask, asked, state } = searching();
    (await ask('tea')).answer(['tea']);
    await state();
    await ask(typed);
    expect(asked).toHaveLength(1);
    expect(await state()).toMatchObject({ status, texts: [] });
  });

  test('a stopped search asks no more, and what it asked is aborted', async () => {
    const { search, ask, asked } = searching();
    const { signal } = await ask('tea');
    search.search('teapot');
    search.stop();
    await advance(PAUSE_MS);
    expect(signal.aborted).toBe(true);
    expect(asked).toHaveLength(1);
  });

  test('two initial consonants that an input method joins are two', async () => {
    const { ask } = searching();
    expect((await ask('ㄳ')).query).toBe('ㄱㅅ');
  });
});

describe('an unfinished syllable', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('is searched for as it is, then as what it may become', async () => {
    const { ask, asked, last, state } = searching();
    (await ask('주간 횡')).answer([]);
    await state();
    expect(last().query).toBe('주간 회ㅇ');
    last().answer(['주간 회의', '주간 회원', '주간 횡단']);
    expect(await state()).toMatchObject({
      status: 'ready',
      query: '주간 횡',
      texts: ['주간 회의', '주간 회원', '주간 횡단'],
    });
    expect(asked).toHaveLength(2);
  });

  test('finds only what it may become', async () => {
    const { ask, last, state } = searching();
    (await ask('한그')).answer([]);
    await state();
    expect(last().query).toBe('한ㄱ');
    last().answer(['한국', '한강'], { next_cursor: 'next' });
    await state();
    last().answer(['한글']);
    expect(await state()).toMatchObject({ status: 'ready', texts: ['한글'] });
  });

  test('is left as it is if something has it', async () => {
    const { ask, asked, state } = searching();
    (await ask('한그')).answer(['거대한그림']);
    expect(await state()).toMatchObject({ status: 'ready', texts: ['거대한그림'] });
    expect(asked).toHaveLength(1);
  });
});

describe('pages', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('follow when they are wanted, once each', async () => {
    const { search, ask, last, asked, state } = searching();
    (await ask('tea')).answer(['tea 3', 'tea 2'], { next_cursor: 'two' });
    expect(await state()).toMatchObject({ hasMore: true, isPartial: false });
    search.loadMore();
    search.loadMore();
    expect(await state()).toMatchObject({ isLoadingMore: true });
    expect(last().cursor).toBe('two');
    last().answer(['tea 2', 'tea 1']);
    expect(await state()).toMatchObject({
      texts: ['tea 3', 'tea 2', 'tea 1'],
      hasMore: false,
      isLoadingMore: false,
    });
    search.loadMore();
    expect(asked).toHaveLength(2);
  });

  test('that run out of time go on by themselves, but not for ever', async () => {
    const { search, ask, last, asked, state } = searching();
    await ask('tea');
    for (let page = 1; page <= 5; page += 1) {
      last().answer(page === 2 ? ['tea 9'] : [], { next_cursor: `${page}`, partial: true });
      const { texts, status } = await state();
      expect(texts).toEqual(page < 2 ? [] : ['tea 9']);
      expect(status).toBe(page < 5 ? 'searching' : 'ready');
    }
    expect(asked).toHaveLength(5);
    expect(await state()).toMatchObject({ isPartial: true, hasMore: true });
    search.loadMore();
    expect(last().cursor).toBe('5');
    last().answer(['tea 1']);
    expect(await state()).toMatchObject({ texts: ['tea 9', 'tea 1'], isPartial: false, hasMore: false });
  });

  test('with enough hits do not go on', async () => {
    const { ask, asked, state } = searching();
    const many = Array.from({ length: 10 }, (_, at) => `tea ${at}`);
    (await ask('tea')).answer(many, { next_cursor: 'next', partial: true });
    expect(await state()).toMatchObject({ status: 'ready', isPartial: true });
    expect(asked).toHaveLength(1);
  });
});

describe('a failure', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const unavailable = () => new MessengerError({ code: 'unavailable', message: '', retryable: true });

  test('shows nothing of an earlier query, and the same search can be tried again', async () => {
    const { search, ask, last, state } = searching();
    (await ask('te')).answer(['text']);
    await state();
    (await ask('tea')).refuse(unavailable());
    expect(await state()).toMatchObject({ status: 'failed', texts: [], failure: { code: 'unavailable' } });
    search.retry();
    expect(await state()).toMatchObject({ status: 'searching', failure: null });
    last().answer(['tea']);
    expect(await state()).toMatchObject({ status: 'ready', texts: ['tea'] });
  });

  test('of a later page leaves the hits', async () => {
    const { search, ask, last, state } = searching();
    (await ask('tea')).answer(['tea 2'], { next_cursor: 'two' });
    await state();
    search.loadMore();
    last().refuse(unavailable());
    expect(await state()).toMatchObject({ status: 'ready', texts: ['tea 2'], hasMore: true });
    expect((await state()).failure?.code).toBe('unavailable');
    search.retry();
    last().answer(['tea 1']);
    expect(await state()).toMatchObject({ texts: ['tea 2', 'tea 1'], failure: null });
  });

  test('without a connection ends when it is back', async () => {
    const { ask, asked, last, state, online } = searching();
    online(false);
    (await ask('tea')).refuse(offlineError());
    expect(await state()).toMatchObject({ status: 'failed', failure: { code: 'offline' } });
    online(true);
    await state();
    expect(asked).toHaveLength(2);
    last().answer(['tea']);
    expect(await state()).toMatchObject({ status: 'ready', texts: ['tea'] });
  });
});

describe('what was found', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('goes when it is deleted, or edited so that a word is missing', async () => {
    const { search, ask, publish, state } = searching();
    (await ask('hot tea')).answer(['tea, hot', 'hot tea', 'hot white tea']);
    await state();
    publish('message.deleted', { ...message('tea, hot', '', 2), deleted_at: '2026-01-02T00:00:00Z' });
    publish('message.edited', message('hot tea', 'cold tea', 2));
    publish('message.edited', message('hot white tea', 'Tea, HOT!', 2));
    expect(await state()).toMatchObject({ texts: ['Tea, HOT!'] });
    expect(search.state.get().hits[0]?.highlights).toEqual([
      [0, 3],
      [5, 3],
    ]);
    publish('message.edited', message('hot white tea', 'an older version', 1));
    expect(await state()).toMatchObject({ texts: ['Tea, HOT!'] });
  });

  test('stays gone when more is loaded', async () => {
    const { search, ask, last, publish, state } = searching();
    (await ask('tea')).answer(['tea 2'], { next_cursor: 'two' });
    await state();
    publish('message.edited', message('tea 2', 'coffee', 2));
    search.loadMore();
    last().answer(['tea 1']);
    expect(await state()).toMatchObject({ texts: ['tea 1'] });
  });

  test('with a link goes with its link', async () => {
    const { ask, publish, state } = searching();
    (await ask('tea', { has: 'link' })).answer(['tea https://example.org']);
    await state();
    publish('message.edited', message('tea https://example.org', 'tea', 2));
    expect(await state()).toMatchObject({ texts: [] });
  });
});

describe('a session', () => {
  const setup = setUpMessenger();
  const searches = () => setup.gateway.calls.filter((call) => call.includes('/search/'));
  const start = (query: string) => {
    const session = setup.session();
    const search = new MessageSearch(
      (request, signal) => session.search.page(request, signal),
      session.connection,
    );
    search.start();
    search.search(query);
    return search;
  };

  test('searches with all filters, and learns who wrote', async () => {
    setup.gateway.storeMessage('차 한 잔');
    await advance(10);
    const search = start('ㅊ 한');
    search.search('ㅊ 한', { conversationId: 'c', from: 2, has: 'link', after: 'a', before: 'b' });
    await advance(PAUSE_MS + 10);
    expect(search.state.get()).toMatchObject({
      status: 'ready',
      hits: [
        {
          highlights: [
            [0, 1],
            [2, 1],
          ],
        },
      ],
    });
    const [call = ''] = searches();
    const query = new URLSearchParams(call.split('?')[1]);
    expect(Object.fromEntries(query)).toEqual({
      ...{ q: 'ㅊ 한', conversation_id: 'c', from: '2', has: 'link', after: 'a', before: 'b', limit: '30' },
    });
  });

  test('asks at most five times a second, whoever searches', async () => {
    setup.gateway.searches.stops.push(...Array.from({ length: 20 }, (_, at) => 100 - at));
    const both = [start('tea'), start('pot')];
    await advance(PAUSE_MS + 999);
    expect(searches().length).toBeLessThanOrEqual(5);
    await advance(3_000);
    expect(both.map((search) => search.state.get().status)).toEqual(['ready', 'ready']);
    expect(searches()).toHaveLength(10);
  });

  test('waits as long as the gateway wants, and then goes on', async () => {
    setup.gateway.storeMessage('tea');
    await advance(10);
    setup.gateway.searches.refusals.push(2, 1);
    const search = start('tea');
    await advance(PAUSE_MS + 1_900);
    expect(searches()).toHaveLength(1);
    expect(search.state.get()).toMatchObject({ status: 'searching', failure: null });
    await advance(2_000);
    expect(searches()).toHaveLength(3);
    expect(search.state.get()).toMatchObject({ status: 'ready', hits: [{}] });
  });

  test('gives up waiting in the end, and asks no more once it is stopped', async () => {
    setup.gateway.searches.refusals.push(...Array.from({ length: 20 }, () => 1));
    const [failing, stopped] = [start('tea'), start('pot')];
    await advance(500);
    stopped?.stop();
    await advance(20_000);
    expect(failing?.state.get()).toMatchObject({ status: 'failed', failure: { code: 'rate_limited' } });
    expect(searches().filter((call) => call.includes('pot'))).toHaveLength(1);
  });
});
