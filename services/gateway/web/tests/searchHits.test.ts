/** What becomes of what a search has found, and how fast all searches of a session ask. */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MessageSearch } from '../src/lib/core/search/messageSearch.ts';
import { message, PAUSE_MS, searching } from './fakeSearch.ts';
import { advance, setUpMessenger } from './setup.ts';

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
    setup.gateway.searches.stops.push(...Array.from({ length: 8 }, (_, at) => 100 - at));
    const both = [start('tea'), start('pot')];
    await advance(PAUSE_MS + 999);
    expect(searches().length).toBeLessThanOrEqual(5);
    await advance(3_000);
    expect(both.map((search) => search.state.get().status)).toEqual(['ready', 'ready']);
    expect(searches()).toHaveLength(10);
  });

  test.each(['rate_limited', 'unavailable'] as const)(
    'waits as long as the gateway wants: %s',
    async (code) => {
      setup.gateway.storeMessage('tea');
      await advance(10);
      setup.gateway.searches.refusedFor = code;
      setup.gateway.searches.refusals.push(2, 1);
      const search = start('tea');
      await advance(PAUSE_MS + 1_900);
      expect(searches()).toHaveLength(1);
      expect(search.state.get()).toMatchObject({ status: 'searching', failure: null });
      await advance(2_000);
      expect(searches()).toHaveLength(3);
      expect(search.state.get()).toMatchObject({ status: 'ready', hits: [{}] });
    },
  );

  test.each([
    ['forbidden', 1],
    ['unavailable', 60],
  ] as const)('does not wait in vain: %s, %i s', async (code, seconds) => {
    setup.gateway.searches.refusedFor = code;
    setup.gateway.searches.refusals.push(seconds);
    const search = start('tea');
    await advance(PAUSE_MS + 10);
    expect(search.state.get()).toMatchObject({ status: 'failed', failure: { code } });
    expect(searches()).toHaveLength(1);
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
