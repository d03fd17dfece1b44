/** The search for users by name: its pause, and which answer counts. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { MessengerError } from '../src/lib/core/contract/failure.ts';
import type { User } from '../src/lib/core/contract/wire.ts';
import { UserSearch } from '../src/lib/core/conversations/userSearch.ts';

const PAUSE_MS = 180;

const user = (id: number, name: string): User => ({
  id,
  name,
  avatar_url: null,
  version: 1,
  deactivated: false,
});

const ADA = user(2, 'Ada Lovelace');
const ADELE = user(3, 'Adele');

/** A search whose answers a test gives when it likes. */
function searching() {
  const asked: { query: string; answer: (users: User[]) => void; refuse: (error: Error) => void }[] = [];
  const search = new UserSearch(
    (query) => new Promise((resolve, reject) => asked.push({ query, answer: resolve, refuse: reject })),
  );
  const ask = async (query: string) => {
    search.search(query);
    await vi.advanceTimersByTimeAsync(PAUSE_MS);
    return asked.at(-1) as (typeof asked)[number];
  };
  const state = async () => {
    await vi.advanceTimersByTimeAsync(0);
    const { status, users } = search.state.get();
    return { status, names: users.map((each) => each.name) };
  };
  return { search, asked, ask, state };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('key presses in quick succession are one request', async () => {
  const { search, asked, state } = searching();
  for (const query of ['a', 'ad', ' ada ']) search.search(query);
  await vi.advanceTimersByTimeAsync(PAUSE_MS);
  expect(asked.map(({ query }) => query)).toEqual(['ada']);
  asked[0]?.answer([ADA]);
  expect(await state()).toEqual({ status: 'ready', names: ['Ada Lovelace'] });
});

test('an answer to an earlier query that comes late changes nothing', async () => {
  const { ask, state } = searching();
  const first = await ask('a');
  const second = await ask('ada');
  second.answer([ADA]);
  await state();
  first.answer([ADELE]);
  expect(await state()).toEqual({ status: 'ready', names: ['Ada Lovelace'] });
});

test('until an answer comes, the users of the last one who match are shown', async () => {
  const { ask, state } = searching();
  (await ask('a')).answer([ADA, ADELE]);
  await state();
  const next = await ask('ＬＯVE ad');
  expect(await state()).toEqual({ status: 'searching', names: ['Ada Lovelace'] });
  next.answer([]);
  expect(await state()).toEqual({ status: 'ready', names: [] });
});

test('blank text is not searched for, and ends the search', async () => {
  const { search, asked, ask, state } = searching();
  const late = await ask('ada');
  search.search(' \u3164');
  late.answer([ADA]);
  expect(await state()).toEqual({ status: 'idle', names: [] });
  expect(asked).toHaveLength(1);
});

test('where searching is off, the gateway is asked once', async () => {
  const { search, asked, ask, state } = searching();
  const refusal = new MessengerError({ code: 'forbidden', message: '', retryable: false });
  (await ask('a')).refuse(refusal);
  expect(await state()).toEqual({ status: 'off', names: [] });
  for (const query of ['', 'ad']) search.search(query);
  await vi.advanceTimersByTimeAsync(PAUSE_MS);
  expect(asked).toHaveLength(1);
  expect((await state()).status).toBe('off');
});

test('after a failure the next text is searched for', async () => {
  const { ask, state } = searching();
  (await ask('a')).refuse(new MessengerError({ code: 'offline', message: '', retryable: true }));
  expect((await state()).status).toBe('failed');
  (await ask('ad')).answer([ADELE]);
  expect(await state()).toEqual({ status: 'ready', names: ['Adele'] });
});

test('a stopped search asks no more', async () => {
  const { search, asked } = searching();
  search.search('ada');
  search.stop();
  await vi.advanceTimersByTimeAsync(PAUSE_MS);
  expect(asked).toEqual([]);
});
