import { describe, expect, test, vi } from 'vitest';
import { backOff } from '../src/lib/core/backoff.ts';
import { verdictOn } from '../src/lib/core/closes.ts';
import { pass, world } from './world.ts';

const { random } = Math;
const it = world();
const phase = () => it.messenger.state.get().phase;

describe('coming back', () => {
  test('the delay is anywhere below a ceiling that doubles up to half a minute', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.999);
    const ceilings = [0, 1, 2, 3, 4, 5, 9].map((attempt) => Math.round(backOff(attempt) / 1000));
    expect(ceilings).toEqual([1, 2, 4, 8, 16, 30, 30]);
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    expect(backOff(3)).toBe(4000);
    expect(backOff(0, 7000)).toBe(7000);
  });

  test.each([
    [1000, 'return'],
    [1001, 'return'],
    [1006, 'return'],
    [1008, 'renew'],
    [1011, 'return'],
    [4000, 'return'],
    [4001, 'return'],
    [4003, 'return'],
    [4005, 'renew'],
    [4006, 'return'],
    [4499, 'return'],
    [4500, 'stay'],
    [4501, 'stay'],
    [4503, 'stay'],
    [4504, 'stay'],
    [4999, 'stay'],
  ] as const)('a close with %i means %s', (code, verdict) => {
    expect(verdictOn(code)).toBe(verdict);
  });

  test('a cut line is taken up again, and says meanwhile that it is waiting', async () => {
    expect(phase()).toBe('online');
    it.gateway.last.end(1006);
    expect(phase()).toBe('waiting');
    await pass(1_100);
    expect(phase()).toBe('online');
    expect(it.gateway.sockets).toHaveLength(2);
  });

  test('tries while the gateway is down grow rarer, and end when it is back', async () => {
    vi.spyOn(Math, 'random').mockImplementation(() => 0.99);
    it.gateway.isUp = false;
    it.gateway.last.end(1006);
    await pass(60_000);
    const tries = it.gateway.sockets.length - 1;
    expect(tries).toBeGreaterThan(3);
    expect(tries).toBeLessThan(9);
    it.gateway.isUp = true;
    await pass(31_000);
    expect(phase()).toBe('online');
    Math.random = random;
  });

  test('flooding is waited out as long as the gateway says', async () => {
    it.gateway.last.end(4006, '{"code":"rate_limited","retry_after_ms":5000}');
    await pass(4_900);
    expect(it.gateway.sockets).toHaveLength(1);
    await pass(200);
    expect(phase()).toBe('online');
  });

  test('a socket that never says a word is given up', async () => {
    it.gateway.greet = () => undefined;
    it.gateway.last.end(1006);
    await pass(1_100);
    expect(phase()).toBe('connecting');
    it.gateway.greet = (socket) => it.gateway.welcome(socket);
    await pass(15_000);
    expect(phase()).toBe('online');
  });

  test('silence is asked about, and a line that stays silent is dropped', async () => {
    const first = it.gateway.last;
    it.gateway.weather = { delay: () => null, copies: () => 1 };
    await pass(25_100);
    expect(first.sent.at(-1)).toMatchObject({ type: 'ping' });
    await pass(5_100);
    expect(first.closedWith).toBe(1000);
    await pass(1_000);
    expect(it.gateway.sockets).toHaveLength(2);
  });

  test('a line that answers its ping stays', async () => {
    const first = it.gateway.last;
    await pass(120_000);
    expect(it.gateway.sockets).toEqual([first]);
  });
});

describe('staying away', () => {
  test.each([4501, 4503, 4504])('after %i nothing is tried until somebody asks for it', async (code) => {
    it.gateway.last.end(code, '{"code":"told"}');
    await pass(120_000);
    expect(it.messenger.state.get()).toMatchObject({ phase: 'away', code, reason: { code: 'told' } });
    expect(it.gateway.sockets).toHaveLength(1);
    it.messenger.renew();
    await pass(50);
    expect(phase()).toBe('online');
  });

  test('a refused token is replaced once; refused again, it is final', async () => {
    it.gateway.greet = (socket) => socket.end(1008, '{"code":"unauthorized"}');
    it.gateway.last.end(1008, '{"code":"unauthorized"}');
    await pass(60_000);
    expect(phase()).toBe('away');
    expect(it.gateway.sockets).toHaveLength(2);
    expect(it.asked).toEqual([false, true]);
  });

  test('a token that ended is replaced, and the line comes back with the new one', async () => {
    const before = it.gateway.last.token;
    it.gateway.last.end(4005);
    await pass(1_100);
    expect(phase()).toBe('online');
    expect(it.gateway.last.token).not.toBe(before);
  });
});

describe('moving', () => {
  test('a draining gateway is left in its own slot, without a moment offline', async () => {
    const old = it.gateway.last;
    const phases = new Set<string>();
    it.messenger.state.watch((state) => phases.add(state.phase));
    old.deliver({ type: 'system', event: 'draining', reconnect_after_ms: 3_000 });
    await pass(2_900);
    expect(it.gateway.sockets).toHaveLength(1);
    await pass(200);
    expect(it.gateway.sockets).toHaveLength(2);
    expect(it.gateway.last.sent[0]).toMatchObject({ type: 'resume' });
    expect(old.closedWith).toBe(1000);
    expect(it.gateway.last.closedWith).toBeNull();
    expect([...phases]).toEqual(['online']);
  });

  test('the old socket is kept until the new one has caught up', async () => {
    const old = it.gateway.last;
    old.deliver({ type: 'system', event: 'draining', reconnect_after_ms: 0 });
    await pass(2);
    it.gateway.weather = { delay: () => 500, copies: () => 1 };
    await pass(100);
    expect(it.gateway.sockets).toHaveLength(2);
    expect(old.closedWith).toBeNull();
    await pass(2_000);
    expect(old.closedWith).toBe(1000);
  });

  test('a draining gateway that ends before its slot is no different from any other end', async () => {
    it.gateway.last.deliver({ type: 'system', event: 'draining', reconnect_after_ms: 60_000 });
    await pass(10);
    it.gateway.last.end(4001, '{"code":"draining"}');
    await pass(1_100);
    expect(phase()).toBe('online');
  });
});

describe('the token', () => {
  test('is renewed on the open socket a minute before its end', async () => {
    await pass(3_539_000);
    expect(it.gateway.last.sent.some((frame) => frame.type === 'auth.refresh')).toBe(false);
    await pass(2_000);
    expect(it.gateway.last.sent.some((frame) => frame.type === 'auth.refresh')).toBe(true);
    expect(it.asked).toEqual([false, true]);
    expect(it.gateway.sockets).toHaveLength(1);
  });
});
