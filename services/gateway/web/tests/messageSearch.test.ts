/** The search for messages: its pause, which answer counts, its pages, and its failures. */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MessengerError, offlineError } from '../src/lib/core/contract/failure.ts';
import { PAUSE_MS, searching } from './fakeSearch.ts';
import { advance } from './setup.ts';

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

  test('that find nothing go on for some seconds, which is told', async () => {
    const { search, ask, last, asked, state } = searching();
    const pass = async (pages: number) => {
      for (let page = 1; page <= pages; page += 1) {
        await advance(500);
        last().answer([], { next_cursor: `${asked.length}`, partial: true });
        await state();
      }
    };
    await ask('tea');
    await pass(4);
    expect(await state()).toMatchObject({ status: 'searching', isPartial: false });
    await pass(1);
    expect(await state()).toMatchObject({ status: 'searching', isPartial: true });
    await pass(24);
    expect(await state()).toMatchObject({ status: 'searching', isPartial: true });
    await pass(1);
    expect(asked).toHaveLength(30);
    expect(await state()).toMatchObject({ status: 'ready', isPartial: true, hasMore: true });
    search.loadMore();
    await pass(7);
    last().answer(['tea 1']);
    expect(await state()).toMatchObject({
      status: 'ready',
      texts: ['tea 1'],
      isPartial: false,
      hasMore: false,
    });
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
