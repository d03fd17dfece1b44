import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { formatDay, formatShortDate, formatTime } from '../src/client/i18n/dates.ts';
import { en } from '../src/client/i18n/en.ts';
import { today, watchToday } from '../src/client/i18n/today.ts';
import { groupPositionOf } from '../src/client/thread/messageGroups.ts';
import type { ChatMessage } from '../src/lib/index.ts';

const HOUR = 3_600_000;
const ZONE = process.env.TZ;
const t = (key: keyof typeof en) => en[key];

let dayChanges = 0;
let closePage = () => {};

/** A user looks at a page, in this zone and at this moment. */
function openPage(zone: string, at: string): void {
  process.env.TZ = zone;
  vi.setSystemTime(new Date(at));
  closePage = watchToday(() => {
    dayChanges += 1;
  });
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  vi.stubGlobal('window', new EventTarget());
  vi.stubGlobal('document', new EventTarget());
  dayChanges = 0;
});

afterEach(() => {
  closePage();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  if (ZONE === undefined) delete process.env.TZ;
  else process.env.TZ = ZONE;
});

/**
 * Lets time pass to this moment. The machine sleeps until the last minute, and its wake-up causes no event.
 */
async function passTo(at: string): Promise<void> {
  vi.setSystemTime(Date.parse(at) - 60_000);
  await vi.advanceTimersByTimeAsync(59_999);
  const before = dayChanges;
  await vi.advanceTimersByTimeAsync(1);
  expect(dayChanges).toBe(before + 1);
}

const heading = (at: string) => formatDay('en', t, new Date(at).toISOString(), today());
const shortDate = (at: string) => formatShortDate('en', t, new Date(at).toISOString(), today());

describe('a day turns when the next one begins', () => {
  test.each([
    ['Asia/Seoul', '2026-11-24T23:59:00+09:00', '2026-11-25T00:00:00+09:00'],
    ['America/New_York', '2026-03-08T23:59:00-04:00', '2026-03-09T00:00:00-04:00'],
    ['America/New_York', '2026-11-01T23:59:00-05:00', '2026-11-02T00:00:00-05:00'],
    ['Asia/Kathmandu', '2026-05-01T23:59:00+05:45', '2026-05-02T00:00:00+05:45'],
    // Days that have no midnight begin at one o'clock.
    ['America/Sao_Paulo', '2018-11-03T23:59:00-03:00', '2018-11-04T01:00:00-02:00'],
    ['Asia/Beirut', '2026-03-28T23:59:00+02:00', '2026-03-29T01:00:00+03:00'],
    ['Africa/Cairo', '2026-04-23T23:59:00+02:00', '2026-04-24T01:00:00+03:00'],
    // Days in which an hour before midnight occurs twice, and days with two midnights.
    ['America/Sao_Paulo', '2018-02-17T23:59:00-03:00', '2018-02-18T00:00:00-03:00'],
    ['Asia/Beirut', '2026-10-24T23:59:00+02:00', '2026-10-25T00:00:00+02:00'],
    ['America/Havana', '2026-10-31T23:59:00-04:00', '2026-11-01T00:00:00-04:00'],
    ['Atlantic/Azores', '2026-10-24T23:59:00+00:00', '2026-10-25T00:00:00+00:00'],
    // A day that was skipped.
    ['Pacific/Apia', '2011-12-29T23:59:00-10:00', '2011-12-31T00:00:00+14:00'],
  ])('in %s from %s to %s', async (zone, before, after) => {
    openPage(zone, before);
    expect([heading(before), shortDate(before)]).toEqual([
      'Today',
      formatTime('en', new Date(before).toISOString()),
    ]);
    await vi.advanceTimersByTimeAsync(Date.parse(after) - Date.parse(before) - 1);
    expect([heading(before), dayChanges]).toEqual(['Today', 0]);
    await vi.advanceTimersByTimeAsync(1);
    expect([heading(after), dayChanges]).toEqual(['Today', 1]);
    if (zone !== 'Pacific/Apia')
      expect([heading(before), shortDate(before)]).toEqual(['Yesterday', 'Yesterday']);
  });

  test.each([
    ['2026-03-28T00:00:00+01:00', '2026-03-29T00:00:00+01:00', '2026-03-30T00:00:00+02:00'],
    ['2026-10-24T00:00:00+02:00', '2026-10-25T00:00:00+02:00', '2026-10-26T00:00:00+01:00'],
  ])('also before and after one of 23 or 25 hours (%s)', async (one, two, three) => {
    openPage('Europe/Berlin', one);
    await passTo(two);
    expect([dayChanges, heading(one), heading(two)]).toEqual([1, 'Yesterday', 'Today']);
    await passTo(three);
    expect([dayChanges, shortDate(two), heading(three)]).toEqual([2, 'Yesterday', 'Today']);
    expect(shortDate(one)).toBe('Sat');
  });

  test('an hour that comes twice is of one day', async () => {
    openPage('Asia/Beirut', '2026-10-24T23:30:00+03:00');
    vi.setSystemTime(new Date('2026-10-24T23:20:00+02:00'));
    await vi.advanceTimersByTimeAsync(600_000);
    expect([dayChanges, heading('2026-10-24T23:30:00+02:00')]).toEqual([0, 'Today']);
  });
});

describe('a day that turned unnoticed', () => {
  test.each([
    ['window', 'focus'],
    ['window', 'pageshow'],
    ['document', 'visibilitychange'],
    ['document', 'resume'],
  ] as const)('is found when the page wakes (%s %s)', (target, event) => {
    openPage('Asia/Seoul', '2026-11-24T12:00:00+09:00');
    vi.setSystemTime(new Date('2026-11-26T12:00:00+09:00'));
    globalThis[target].dispatchEvent(new Event(event));
    expect([dayChanges, heading('2026-11-25T12:00:00+09:00')]).toEqual([1, 'Yesterday']);
  });

  test('is found soon when the clock is put to another day, either way', async () => {
    openPage('Asia/Seoul', '2026-11-24T12:00:00+09:00');
    for (const at of ['2026-11-27T12:00:00+09:00', '2026-11-20T12:00:00+09:00']) {
      vi.setSystemTime(new Date(at));
      await vi.advanceTimersByTimeAsync(10_000);
      expect(heading(at)).toBe('Today');
    }
    expect(dayChanges).toBe(2);
  });

  test('is found soon when the zone is another one, and times are of that zone', async () => {
    const at = '2026-11-24T20:00:00Z';
    openPage('Europe/London', at);
    expect(formatTime('en', at)).toMatch(/^8:00\sPM$/);
    process.env.TZ = 'Asia/Seoul';
    await vi.advanceTimersByTimeAsync(10_000);
    expect([dayChanges, heading('2026-11-25T00:30:00+09:00')]).toEqual([1, 'Today']);
    expect(formatTime('en', at)).toMatch(/^5:00\sAM$/);
    const message = (created_at: string) => ({ created_at, sender_id: 1 }) as ChatMessage;
    expect(
      groupPositionOf(message('2026-11-24T14:59:00Z'), message('2026-11-24T15:00:00Z'), undefined),
    ).toMatchObject({
      startsDay: true,
    });
  });

  test('wakes nobody while it is the same day', async () => {
    openPage('Asia/Seoul', '2026-11-24T00:00:00+09:00');
    const was = today();
    for (const hours of [1, 12, 23]) {
      vi.setSystemTime(Date.parse('2026-11-24T00:00:00+09:00') + hours * HOUR);
      await vi.advanceTimersByTimeAsync(HOUR / 2);
      window.dispatchEvent(new Event('focus'));
    }
    expect([dayChanges, today()]).toEqual([0, was]);
  });

  test('is looked for by one timer, however many look', () => {
    openPage('Asia/Seoul', '2026-11-24T12:00:00+09:00');
    const others = [1, 2, 3].map(() => watchToday(() => {}));
    expect(vi.getTimerCount()).toBe(1);
    for (const other of others) other();
    expect(vi.getTimerCount()).toBe(1);
  });
});
