import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ServerClock } from '../src/lib/core/connection/serverClock.ts';
import { Tokens } from '../src/lib/core/connection/tokens.ts';
import { Messenger } from '../src/lib/core/messenger.ts';
import { FakeGateway, token } from './fakeGateway.ts';
import { advance, setUpMessenger } from './setup.ts';

const HOUR_MS = 3_600_000;

describe('a clock that is set', () => {
  const setup = setUpMessenger();
  const typed = () => setup.gateway.last.sent.filter((frame) => frame.type === 'typing.start');
  const step = (millis: number) => vi.setSystemTime(Date.now() + millis);

  test.each([-2 * HOUR_MS, 2 * HOUR_MS])('by %i ms hides no dead socket', async (millis) => {
    const first = setup.gateway.last;
    await advance(5_000);
    setup.gateway.network = { delay: () => null, copies: () => 1 };
    step(millis);
    await advance(31_000);
    expect(first.closedWith).toBe(1000);
    await advance(1_500);
    expect(setup.gateway.sockets.length).toBeGreaterThan(1);
  });

  test('back while a question is under way hides no dead socket', async () => {
    const first = setup.gateway.last;
    setup.gateway.network = { delay: () => null, copies: () => 1 };
    await advance(25_500);
    expect(first.sent.at(-1)).toMatchObject({ type: 'ping' });
    step(-HOUR_MS);
    await advance(5_500);
    expect(first.closedWith).toBe(1000);
  });

  test('back keeps nobody from seeing that the user types', async () => {
    setup.session().typing.keyPressed(setup.gateway.conversation);
    step(-HOUR_MS);
    await advance(3_500);
    setup.session().typing.keyPressed(setup.gateway.conversation);
    await advance(10);
    expect(typed()).toHaveLength(2);
  });

  test('ahead, as a sleep leaves it, has the line asked whether it lives', async () => {
    const first = setup.gateway.last;
    const pings = () => first.sent.filter((frame) => frame.type === 'ping').length;
    const before = pings();
    step(HOUR_MS);
    await advance(5_100);
    expect(pings()).toBe(before + 1);
  });

  test('back keeps what is written in the order in which it was written', async () => {
    setup.gateway.isUp = false;
    setup.gateway.last.end(1006);
    setup.session().send(setup.gateway.conversation, { content: 'first' });
    step(-HOUR_MS);
    setup.session().send(setup.gateway.conversation, { content: 'second' });
    const [first, second] = setup.session().outbox.entries.get();
    expect([first?.content, second?.content]).toEqual(['first', 'second']);
    expect(Date.parse(second?.created_at ?? '')).toBeGreaterThanOrEqual(Date.parse(first?.created_at ?? ''));
  });
});

describe('a browser that is hours off', () => {
  let gateway: FakeGateway;
  let messenger: Messenger;
  let asked: boolean[];

  const start = async (offsetMs: number, ttlS = 3600) => {
    gateway.offsetMs = offsetMs;
    let salt = 0;
    messenger = new Messenger('http://gateway.test', ({ fresh }) => {
      asked.push(fresh);
      salt += 1;
      return token(ttlS, salt, gateway.now());
    });
    messenger.start();
    await advance(50);
  };

  beforeEach(() => {
    const now = Date.UTC(2026, 10, 24);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'], now });
    vi.stubGlobal('indexedDB', undefined);
    asked = [];
    gateway = new FakeGateway();
    gateway.install();
  });

  afterEach(() => {
    messenger.stop();
    vi.useRealTimers();
  });

  test.each([-2 * HOUR_MS, 2 * HOUR_MS])('(the gateway by %i ms) needs one token', async (offsetMs) => {
    await start(offsetMs);
    const session = messenger.session.get();
    for (let n = 0; n < 20; n += 1) {
      void session?.list.load();
      await advance(1_000);
    }
    expect(messenger.state.get().phase).toBe('online');
    expect(asked).toEqual([false]);
  });

  test.each([-2 * HOUR_MS, 2 * HOUR_MS])(
    '(the gateway by %i ms) renews it before its end',
    async (offsetMs) => {
      await start(offsetMs);
      await advance(3_535_000);
      expect(asked).toEqual([false]);
      await advance(10_000);
      expect(asked).toEqual([false, true]);
      expect(gateway.last.sent.some((frame) => frame.type === 'auth.refresh')).toBe(true);
      expect(gateway.sockets).toHaveLength(1);
    },
  );

  test('dates what is on its way as the gateway would', async () => {
    await start(-2 * HOUR_MS);
    const session = messenger.session.get();
    const entry = session?.send(gateway.conversation, { content: 'now' }).entry;
    expect(Math.abs(Date.parse(entry?.created_at ?? '') - gateway.now())).toBeLessThan(1_000);
  });
});

test('the gateway’s time runs on while the browser’s clock is set, and every pong sets it right', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
  const clock = new ServerClock();
  expect(clock.now()).toBe(Date.now());
  clock.learnFrom({ type: 'pong', ts: null, timestamp: '2026-01-01T00:00:00Z', ref: 'c1' } as never);
  vi.advanceTimersByTime(1_000);
  vi.setSystemTime(0);
  expect(new Date(clock.now()).toISOString()).toBe('2026-01-01T00:00:01.000Z');
  clock.learnFrom({ type: 'pong', ts: null, timestamp: 'no time', ref: 'c2' } as never);
  expect(clock.isKnown).toBe(true);
  vi.useRealTimers();
});

test('a host application that never answers for a token is asked again', async () => {
  vi.useFakeTimers();
  const tokens = new Tokens(() => new Promise<string>(() => undefined));
  const refused = expect(tokens.current()).rejects.toMatchObject({ code: 'no_token', retryable: true });
  await vi.advanceTimersByTimeAsync(30_000);
  await refused;
  vi.useRealTimers();
});
