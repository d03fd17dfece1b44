import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { describe, expect, test, vi } from 'vitest';
import { openDurableMap } from '../src/lib/core/outbox/durableMap.ts';
import type { OutboxEntry } from '../src/lib/core/outbox/outbox.ts';
import { advance, setUpMessenger } from './setup.ts';

const setup = setUpMessenger();
const say = (content: string) => setup.session().send(setup.gateway.conversation, { content });
const stored = () => setup.gateway.messages.map((message) => message.content);
const sends = () =>
  setup.gateway.sockets.flatMap((socket) => socket.sent).filter((f) => f.type === 'message.send');
const open = async () => {
  void setup.session().open(setup.gateway.conversation);
  await advance(50);
};

describe('a message', () => {
  test('is seen at once as sending, then as delivered, under one key', async () => {
    await open();
    say('hello');
    const [sending] = setup.session().timeline(setup.gateway.conversation)?.messages.get() ?? [];
    expect(sending).toMatchObject({ content: 'hello', status: 'sending' });
    await advance(10);
    const [sent] = setup.session().timeline(setup.gateway.conversation)?.messages.get() ?? [];
    expect(sent).toMatchObject({ status: 'delivered', seq: 1, key: sending?.key });
  });

  test('whose answer comes before its event is sent first, and delivered then', async () => {
    await open();
    setup.gateway.network = { delay: (isLive) => (isLive ? 100 : 1), copies: () => 1 };
    say('hello');
    await advance(50);
    expect(setup.statuses()).toEqual(['sent']);
    await advance(100);
    expect(setup.statuses()).toEqual(['delivered']);
  });

  test('counts as read when another one has read that far', async () => {
    await open();
    say('hello');
    await advance(10);
    const named = { conversation_id: setup.gateway.conversation, message_id: 'm1' };
    setup.gateway.last.deliver({ type: 'message.read', ...named, user_id: 2, read_seq: 1, read_at: '' });
    await advance(10);
    expect(setup.statuses()).toEqual(['read']);
  });

  test('that is refused stays, with the reason, and is sent again when asked for', async () => {
    await open();
    const error = { type: 'error', message: 'Not allowed', code: 'forbidden', retryable: false };
    setup.gateway.refusalOf = () => error;
    say('refused');
    await advance(10);
    const [failed] = setup.session().timeline(setup.gateway.conversation)?.messages.get() ?? [];
    expect(failed).toMatchObject({
      status: 'failed',
      failure: { code: 'forbidden', message: 'Not allowed' },
    });
    setup.gateway.refusalOf = () => null;
    setup.session().outbox.retry(String(failed?.client_message_id));
    await advance(10);
    expect(setup.statuses()).toEqual(['delivered']);
    expect(new Set(sends().map((frame) => frame.client_message_id)).size).toBe(1);
  });

  test('that is refused does not hold up the next one', async () => {
    await open();
    const error = { type: 'error', message: 'Too long', code: 'message_too_long', retryable: false };
    setup.gateway.refusalOf = (frame) => (frame.content === 'bad' ? error : null);
    say('bad');
    say('good');
    await advance(20);
    expect(stored()).toEqual(['good']);
    expect(setup.statuses()).toEqual(['delivered', 'failed']);
  });

  test('larger than a frame may be fails here and does not cost the socket', async () => {
    await open();
    say('x'.repeat(132_000));
    await advance(10);
    expect(setup.statuses()).toEqual(['failed']);
    expect(setup.messenger.state.get().phase).toBe('online');
  });
});

describe('a message that can never succeed', () => {
  const rest = () => [stored(), setup.statuses()];

  test('since no answer comes to it though others do is given up, and holds up nobody', async () => {
    await open();
    setup.gateway.isIgnored = (frame) => frame.content === 'bad';
    say('bad');
    say('good');
    await advance(60_000);
    expect(rest()).toEqual([['good'], ['delivered', 'failed']]);
    expect(setup.session().outbox.entries.get()[0]?.failure).toMatchObject({ code: 'unanswered' });
    expect(setup.gateway.sockets).toHaveLength(1);
  });

  test('since the gateway breaks over it is given up, and holds up nobody', async () => {
    await open();
    const error = { type: 'error', message: 'Broken', code: 'internal', retryable: true };
    setup.gateway.refusalOf = (frame) => (frame.content === 'bad' ? error : null);
    say('bad');
    say('good');
    await advance(300_000);
    expect(rest()).toEqual([['good'], ['delivered', 'failed']]);
  });

  test('is told from one that waits for a gateway that is busy', async () => {
    await open();
    const error = { type: 'error', message: 'Away', code: 'unavailable', retryable: true };
    setup.gateway.refusalOf = () => error;
    say('patient');
    await advance(600_000);
    expect(setup.statuses()).toEqual(['sending']);
    setup.gateway.refusalOf = () => null;
    await advance(31_000);
    expect(setup.statuses()).toEqual(['delivered']);
  });

  test('is told from one whose line answers nothing at all', async () => {
    await open();
    setup.gateway.network = { delay: () => null, copies: () => 1 };
    say('patient');
    await advance(120_000);
    expect(setup.statuses()).toEqual(['sending']);
    setup.gateway.network = { delay: () => 1, copies: () => 1 };
    await advance(40_000);
    expect(setup.statuses()).toEqual(['delivered']);
  });

  test('is settled by its event, if that comes and its answer does not', async () => {
    await open();
    setup.gateway.isIgnored = (frame) => frame.type === 'message.send';
    const { entry } = say('stored');
    await advance(10);
    setup.gateway.storeMessage('stored', 1, entry.client_message_id);
    await advance(10);
    expect(setup.session().outbox.entries.get()).toEqual([]);
    expect(setup.statuses()).toEqual(['delivered']);
  });
});

describe('a message that ends the socket for its size, though the limit was told as larger', () => {
  test('fails instead of ending one socket after the other, and the next one is sent', async () => {
    await open();
    setup.gateway.refusalOf = (frame) => {
      if (String(frame.content).length <= 1_000) return null;
      setup.gateway.last.end(1009);
      // The frame is lost, so nothing is stored.
      return { type: 'error', message: 'Internal error', code: 'internal', retryable: true };
    };
    say('x'.repeat(2_000));
    say('small');
    await advance(60_000);
    expect(setup.gateway.sockets).toHaveLength(2);
    expect(setup.statuses().sort()).toEqual(['delivered', 'failed']);
    expect(sends().map((frame) => String(frame.content).length)).toEqual([2_000, 5]);
  });
});

describe('many messages', () => {
  test('of one conversation go one at a time', async () => {
    setup.gateway.network = { delay: () => 100, copies: () => 1 };
    for (const text of ['a', 'b', 'c']) say(text);
    await advance(150);
    expect(sends()).toHaveLength(1);
    await advance(1_000);
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
    setup.gateway.refusalOf = () => {
      left -= 1;
      return left >= 0 ? busy : null;
    };
    for (const text of ['a', 'b', 'c']) say(text);
    await advance(1_900);
    expect(stored()).toEqual([]);
    await advance(10_000);
    expect(stored()).toEqual(['a', 'b', 'c']);
  });

  test('written offline go out in order and once when the line is back', async () => {
    setup.gateway.isUp = false;
    setup.gateway.last.end(1006);
    const texts = Array.from({ length: 10 }, (_, n) => `offline ${n}`);
    for (const text of texts) say(text);
    await advance(3_000);
    expect(setup.session().outbox.entries.get()).toHaveLength(10);
    setup.gateway.isUp = true;
    await advance(40_000);
    expect(stored()).toEqual(texts);
    expect(setup.session().outbox.entries.get()).toEqual([]);
  });

  test('whose answers are lost are asked again, and stored once', async () => {
    let lose = true;
    setup.gateway.network = {
      delay: () => {
        const isAnswer = setup.gateway.messages.length > 0 && lose;
        return isAnswer ? null : 1;
      },
      copies: () => 1,
    };
    say('once');
    await advance(100);
    expect(stored()).toEqual(['once']);
    lose = false;
    await advance(30_000);
    expect(stored()).toEqual(['once']);
    expect(sends().length).toBeGreaterThan(1);
    expect(setup.session().outbox.entries.get()).toEqual([]);
  });
});

describe('a reload', () => {
  test('in mid-send loses nothing and doubles nothing', async () => {
    vi.stubGlobal('indexedDB', new IDBFactory());
    vi.useRealTimers();
    const waited = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis));
    setup.messenger.stop();
    setup.messenger.start();
    await waited(200);
    // The first is stored, but its answer never arrives. The others never leave the client.
    setup.gateway.network = { delay: () => (setup.gateway.messages.length > 0 ? null : 1), copies: () => 1 };
    const kept = ['a', 'b', 'c'].map((text) => say(text).kept);
    await Promise.all(kept);
    await waited(50);
    expect(stored()).toEqual(['a']);
    setup.messenger.stop();
    setup.gateway.network = { delay: () => 1, copies: () => 1 };
    setup.messenger.start();
    await waited(300);
    expect(stored()).toEqual(['a', 'b', 'c']);
    expect(setup.session().outbox.entries.get()).toEqual([]);
  });
});

test('what is kept comes back in the order in which it was written', async () => {
  vi.useRealTimers();
  vi.stubGlobal('indexedDB', new IDBFactory());
  const map = openDurableMap<OutboxEntry>('a user', 'client_message_id');
  const entries = [1, 2, 3].map(
    (n) => setup.session().outbox.add(setup.gateway.conversation, { content: `${n}` }).entry,
  );
  for (const entry of [...entries].reverse()) await map.put(entry);
  map.remove(entries[1]?.client_message_id ?? '');
  await map.flush();
  map.stop();
  const left: OutboxEntry[] = [];
  await openDurableMap<OutboxEntry>('a user', 'client_message_id').load((found) => left.push(...found));
  expect(left.map((entry) => entry.content)).toEqual(['1', '3']);
});

describe('where a browser keeps nothing', () => {
  test('a message is sent all the same, and settled by its answer', async () => {
    const { kept } = say('not kept');
    await advance(4_000);
    expect(setup.session().outbox.isFailing.get()).toBe(true);
    await kept;
    expect(stored()).toEqual(['not kept']);
  });

  test('one that waits is not called kept', async () => {
    setup.gateway.isUp = false;
    setup.gateway.last.end(1006);
    let isKept = false;
    void say('not kept').kept.then(() => {
      isKept = true;
    });
    await advance(60_000);
    expect(isKept).toBe(false);
    setup.gateway.isUp = true;
    await advance(31_000);
    expect(isKept).toBe(true);
  });
});
