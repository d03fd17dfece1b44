import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { describe, expect, test, vi } from 'vitest';
import { openKeep } from '../src/lib/core/keep.ts';
import type { Entry } from '../src/lib/core/outbox.ts';
import { pass, world } from './world.ts';

const it = world();
const say = (content: string) => it.session().send(it.gateway.conversation, { content });
const stored = () => it.gateway.messages.map((message) => message.content);
const sends = () =>
  it.gateway.sockets.flatMap((socket) => socket.sent).filter((f) => f.type === 'message.send');
const open = async () => {
  void it.session().open(it.gateway.conversation);
  await pass(50);
};

describe('a message', () => {
  test('is seen at once as sending, then as delivered, under one key', async () => {
    await open();
    say('hello');
    const [sending] = it.session().timeline(it.gateway.conversation)?.messages.get() ?? [];
    expect(sending).toMatchObject({ content: 'hello', status: 'sending' });
    await pass(10);
    const [sent] = it.session().timeline(it.gateway.conversation)?.messages.get() ?? [];
    expect(sent).toMatchObject({ status: 'delivered', seq: 1, key: sending?.key });
  });

  test('whose answer comes before its event is sent first, and delivered then', async () => {
    await open();
    it.gateway.weather = { delay: (isLive) => (isLive ? 100 : 1), copies: () => 1 };
    say('hello');
    await pass(50);
    expect(it.statuses()).toEqual(['sent']);
    await pass(100);
    expect(it.statuses()).toEqual(['delivered']);
  });

  test('counts as read when another one has read that far', async () => {
    await open();
    say('hello');
    await pass(10);
    const named = { conversation_id: it.gateway.conversation, message_id: 'm1' };
    it.gateway.last.deliver({ type: 'message.read', ...named, user_id: 2, read_seq: 1, read_at: '' });
    await pass(10);
    expect(it.statuses()).toEqual(['read']);
  });

  test('that is refused stays, with the reason, and is sent again when asked for', async () => {
    await open();
    const error = { type: 'error', message: 'Not allowed', code: 'forbidden', retryable: false };
    it.gateway.refuse = () => error;
    say('refused');
    await pass(10);
    const [failed] = it.session().timeline(it.gateway.conversation)?.messages.get() ?? [];
    expect(failed).toMatchObject({
      status: 'failed',
      failure: { code: 'forbidden', message: 'Not allowed' },
    });
    it.gateway.refuse = () => null;
    it.session().outbox.retry(String(failed?.client_message_id));
    await pass(10);
    expect(it.statuses()).toEqual(['delivered']);
    expect(new Set(sends().map((frame) => frame.client_message_id)).size).toBe(1);
  });

  test('that is refused does not hold up the next one', async () => {
    await open();
    const error = { type: 'error', message: 'Too long', code: 'message_too_long', retryable: false };
    it.gateway.refuse = (frame) => (frame.content === 'bad' ? error : null);
    say('bad');
    say('good');
    await pass(20);
    expect(stored()).toEqual(['good']);
    expect(it.statuses()).toEqual(['delivered', 'failed']);
  });

  test('larger than a frame may be fails here and does not cost the socket', async () => {
    await open();
    say('x'.repeat(70_000));
    await pass(10);
    expect(it.statuses()).toEqual(['failed']);
    expect(it.messenger.state.get().phase).toBe('online');
  });
});

describe('many messages', () => {
  test('of one conversation go one at a time', async () => {
    it.gateway.weather = { delay: () => 100, copies: () => 1 };
    for (const text of ['a', 'b', 'c']) say(text);
    await pass(150);
    expect(sends()).toHaveLength(1);
    await pass(1_000);
    expect(stored()).toEqual(['a', 'b', 'c']);
  });

  test('keep their order when the first of them has to wait', async () => {
    const busy = {
      type: 'error',
      message: 'Busy',
      code: 'rate_limited',
      retryable: true,
      retry_after_ms: 2_000,
    };
    let left = 2;
    it.gateway.refuse = () => {
      left -= 1;
      return left >= 0 ? busy : null;
    };
    for (const text of ['a', 'b', 'c']) say(text);
    await pass(1_900);
    expect(stored()).toEqual([]);
    await pass(10_000);
    expect(stored()).toEqual(['a', 'b', 'c']);
  });

  test('written offline go out in order and once when the line is back', async () => {
    it.gateway.isUp = false;
    it.gateway.last.end(1006);
    const texts = Array.from({ length: 10 }, (_, n) => `offline ${n}`);
    for (const text of texts) say(text);
    await pass(3_000);
    expect(it.session().outbox.entries.get()).toHaveLength(10);
    it.gateway.isUp = true;
    await pass(40_000);
    expect(stored()).toEqual(texts);
    expect(it.session().outbox.entries.get()).toEqual([]);
  });

  test('whose answers are lost are asked again, and stored once', async () => {
    let lose = true;
    it.gateway.weather = {
      delay: () => {
        const isAnswer = it.gateway.messages.length > 0 && lose;
        return isAnswer ? null : 1;
      },
      copies: () => 1,
    };
    say('once');
    await pass(100);
    expect(stored()).toEqual(['once']);
    lose = false;
    await pass(30_000);
    expect(stored()).toEqual(['once']);
    expect(sends().length).toBeGreaterThan(1);
    expect(it.session().outbox.entries.get()).toEqual([]);
  });
});

describe('a reload', () => {
  test('in mid-send loses nothing and doubles nothing', async () => {
    vi.stubGlobal('indexedDB', new IDBFactory());
    vi.useRealTimers();
    const waited = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis));
    it.messenger.stop();
    it.messenger.start();
    await waited(200);
    // The first is stored, but its answer never comes; the others never leave.
    it.gateway.weather = { delay: () => (it.gateway.messages.length > 0 ? null : 1), copies: () => 1 };
    const kept = ['a', 'b', 'c'].map((text) => say(text).kept);
    await Promise.all(kept);
    await waited(50);
    expect(stored()).toEqual(['a']);
    it.messenger.stop();
    it.gateway.weather = { delay: () => 1, copies: () => 1 };
    it.messenger.start();
    await waited(300);
    expect(stored()).toEqual(['a', 'b', 'c']);
    expect(it.session().outbox.entries.get()).toEqual([]);
  });
});

test('what is kept comes back in the order in which it was written', async () => {
  vi.useRealTimers();
  vi.stubGlobal('indexedDB', new IDBFactory());
  const keep = openKeep<Entry>('a user', 'client_message_id');
  const entries = [1, 2, 3].map(
    (n) => it.session().outbox.add(it.gateway.conversation, { content: `${n}` }).entry,
  );
  for (const entry of [...entries].reverse()) await keep.put(entry);
  expect((await keep.all()).map((entry) => entry.content)).toEqual(['1', '2', '3']);
  await keep.remove(entries[1]?.client_message_id ?? '');
  expect((await openKeep<Entry>('a user', 'client_message_id').all()).map((entry) => entry.content)).toEqual([
    '1',
    '3',
  ]);
});
