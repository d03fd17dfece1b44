import { describe, expect, test, vi } from 'vitest';
import { formatShortDate } from '../src/client/i18n/dates.ts';
import { en } from '../src/client/i18n/en.ts';
import { ko } from '../src/client/i18n/ko.ts';
import { advancePast, newId } from '../src/lib/core/base/ids.ts';
import { parseAddress } from '../src/lib/core/connection/address.ts';
import { Tokens } from '../src/lib/core/connection/tokens.ts';
import type { Message } from '../src/lib/core/contract/wire.ts';
import { firstHole, mergeMessages } from '../src/lib/core/conversations/history.ts';
import { token } from './fakeGateway.ts';

const message = (seq: number, pos = seq + 1) => ({ id: `m${seq}`, seq, pos, version: pos }) as Message;
const seqs = (messages: readonly Message[]) => messages.map((each) => each.seq);

describe('ids', () => {
  test('sort in the order in which they are made, within a millisecond and when the clock goes back', () => {
    const ids = Array.from({ length: 3_000 }, newId);
    vi.spyOn(Date, 'now').mockReturnValue(1_000_000);
    ids.push(...Array.from({ length: 10 }, newId));
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids[0]).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  });

  test('come after those that an earlier page left', () => {
    const left = 'ffff0000-0000-7000-8000-000000000000';
    advancePast(left);
    expect(newId() > left).toBe(true);
  });
});

describe('history', () => {
  test('takes each message in its latest state, whichever comes first', () => {
    const [old, late] = [message(2, 3), message(2, 9)];
    expect(mergeMessages([message(1), old], [late])[1]).toBe(late);
    expect(mergeMessages([message(1), late], [old])[1]).toBe(late);
  });

  test('stays the same list when nothing is new', () => {
    const held = [message(1), message(2)];
    expect(mergeMessages(held, [message(2)])).toBe(held);
    expect(seqs(mergeMessages(held, [message(5), message(3)]))).toEqual([1, 2, 3, 5]);
  });

  const loaded = (messages: Message[], hasNewer = false) => ({ messages, hasNewer });

  test('knows its first hole', () => {
    expect(firstHole(loaded([message(4), message(5)]), 5)).toBeNull();
    expect(firstHole(loaded([message(4), message(6)]), 6)).toBe(5);
    expect(firstHole(loaded([message(4), message(5)]), 7)).toBe(6);
    expect(firstHole(loaded([]), 0)).toBeNull();
    expect(firstHole(loaded([message(4), message(5)], true), 7)).toBeNull();
  });
});

describe('tokens', () => {
  test('are asked for once by all who need one at the same time', async () => {
    const get = vi.fn(() => token());
    const tokens = new Tokens(get);
    await Promise.all([tokens.current(), tokens.current(), tokens.current()]);
    expect(get).toHaveBeenCalledTimes(1);
    expect(tokens.userId).toBe(1);
  });

  test('that are about to end are not used any more', async () => {
    const get = vi.fn(() => token(5));
    const tokens = new Tokens(get);
    await tokens.current();
    await tokens.current();
    expect(get).toHaveBeenLastCalledWith({ fresh: true });
  });
});

test.each([
  ['https://chat.example.com', 'wss://chat.example.com/api/v1/messenger/ws'],
  ['https://chat.example.com/', 'wss://chat.example.com/api/v1/messenger/ws'],
  ['http://host:8080/chat', 'ws://host:8080/chat/api/v1/messenger/ws'],
  ['https://host/api/v1/messenger', 'wss://host/api/v1/messenger/ws'],
])('the gateway at %s has its socket at %s', (url, socket) => {
  expect(parseAddress(url).socket).toBe(socket);
});

describe('words', () => {
  test('fill in the same things in both languages', () => {
    const names = (words: string) => [...words.matchAll(/\{(\w+)[,}]/g)].map(([, name]) => name).sort();
    for (const key of Object.keys(en) as (keyof typeof en)[]) {
      expect(new Set(names(ko[key])), key).toEqual(new Set(names(en[key])));
    }
  });

  test('tell when in the reader’s way', () => {
    const t = (key: keyof typeof en) => ko[key];
    const now = new Date(2026, 10, 24, 15, 0);
    const at = (day: number, hour = 9) => new Date(2026, 10, day, hour, 5).toISOString();
    // Node may come with fewer Korean words than browsers do.
    expect(formatShortDate('ko', t, at(24), now)).toMatch(/^(오전|AM) 9:05$/);
    expect(formatShortDate('ko', t, at(23), now)).toBe('어제');
    expect(formatShortDate('ko', t, at(20), now)).toBe('금');
    expect(formatShortDate('en', (key) => en[key], at(2), now)).toBe('11/2');
    expect(formatShortDate('ko', t, new Date(2025, 0, 5).toISOString(), now)).toBe('25. 1. 5.');
  });
});
