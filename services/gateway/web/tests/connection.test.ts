import { describe, expect, test, vi } from 'vitest';
import { BackOff } from '../src/lib/core/base/backoff.ts';
import { reactionTo } from '../src/lib/core/contract/closeCodes.ts';
import { advance, setUpMessenger } from './setup.ts';

const { random } = Math;
const setup = setUpMessenger();
const phase = () => setup.messenger.state.get().phase;

describe('coming back', () => {
  test('the delay is anywhere below a ceiling that follows the time away up to half a minute', () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const backOff = new BackOff();
    const ceilings = [0, 500, 1_500, 6_000, 60_000].map((later) => {
      vi.advanceTimersByTime(later);
      return backOff.next();
    });
    expect(ceilings).toEqual([1_000, 1_000, 2_500, 10_000, 30_000]);
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    expect(backOff.next()).toBe(15_000);
    expect(backOff.next(17_000)).toBe(17_000);
    backOff.reset();
    expect(backOff.next()).toBe(500);
  });

  // The bound held for 200 draws. With delays that double with the number of tries, one in seven clients came
  // back later than this.
  test('who lost his gateway for two seconds is back within five, whatever the dice say', () => {
    vi.spyOn(Math, 'random').mockImplementation(random);
    for (let draw = 0; draw < 200; draw += 1) {
      const backOff = new BackOff();
      let away = 0;
      while (away < 2_000) {
        const delay = backOff.next();
        vi.advanceTimersByTime(delay);
        away += delay;
      }
      expect(away).toBeLessThan(5_000);
    }
  });

  test.each([
    [1000, 'reconnect'],
    [1001, 'reconnect'],
    [1006, 'reconnect'],
    [1008, 'renew'],
    [1011, 'reconnect'],
    [4000, 'reconnect'],
    [4001, 'reconnect'],
    [4003, 'reconnect'],
    [4005, 'renew'],
    [4006, 'reconnect'],
    [4499, 'reconnect'],
    [4500, 'stay_away'],
    [4501, 'stay_away'],
    [4503, 'stay_away'],
    [4504, 'stay_away'],
    [4999, 'stay_away'],
  ] as const)('a close with %i means %s', (code, reaction) => {
    expect(reactionTo(code)).toBe(reaction);
  });

  test('a cut line is taken up again, and says meanwhile that it is waiting', async () => {
    expect(phase()).toBe('online');
    setup.gateway.last.end(1006);
    expect(phase()).toBe('waiting');
    await advance(1_100);
    expect(phase()).toBe('online');
    expect(setup.gateway.sockets).toHaveLength(2);
  });

  test('tries while the gateway is down grow rarer, and end when it is back', async () => {
    vi.spyOn(Math, 'random').mockImplementation(() => 0.99);
    setup.gateway.isUp = false;
    setup.gateway.last.end(1006);
    await advance(60_000);
    const tries = setup.gateway.sockets.length - 1;
    expect(tries).toBeGreaterThan(3);
    expect(tries).toBeLessThan(9);
    setup.gateway.isUp = true;
    await advance(31_000);
    expect(phase()).toBe('online');
    Math.random = random;
  });

  test.each([0, 0.3, 0.999])(
    'a gateway that is away for two seconds is found within five (dice: %f)',
    async (dice) => {
      vi.spyOn(Math, 'random').mockReturnValue(dice);
      setup.gateway.isUp = false;
      setup.gateway.last.end(1006);
      await advance(2_000);
      setup.gateway.isUp = true;
      await advance(3_000);
      expect(phase()).toBe('online');
      Math.random = random;
    },
  );

  test('flooding is waited out as long as the gateway says', async () => {
    setup.gateway.last.end(4006, '{"code":"rate_limited","retry_after_ms":5000}');
    await advance(4_900);
    expect(setup.gateway.sockets).toHaveLength(1);
    await advance(200);
    expect(phase()).toBe('online');
  });

  test('a socket that never says a word is given up', async () => {
    setup.gateway.onOpen = () => undefined;
    setup.gateway.last.end(1006);
    await advance(1_100);
    expect(phase()).toBe('connecting');
    setup.gateway.onOpen = (socket) => setup.gateway.welcome(socket);
    await advance(30_000);
    expect(phase()).toBe('online');
  });

  test('silence is asked about, and a line that stays silent is dropped', async () => {
    const first = setup.gateway.last;
    setup.gateway.network = { delay: () => null, copies: () => 1 };
    await advance(25_100);
    expect(first.sent.at(-1)).toMatchObject({ type: 'ping' });
    await advance(5_100);
    expect(first.closedWith).toBe(1000);
    await advance(1_000);
    expect(setup.gateway.sockets).toHaveLength(2);
  });

  test('a line that answers its ping stays', async () => {
    const first = setup.gateway.last;
    await advance(120_000);
    expect(setup.gateway.sockets).toEqual([first]);
  });
});

describe('staying away', () => {
  test.each([4501, 4503, 4504])('after %i nothing is tried until somebody asks for it', async (code) => {
    setup.gateway.last.end(code, '{"code":"told"}');
    await advance(120_000);
    expect(setup.messenger.state.get()).toMatchObject({ phase: 'away', code, reason: { code: 'told' } });
    expect(setup.gateway.sockets).toHaveLength(1);
    setup.messenger.renew();
    await advance(50);
    expect(phase()).toBe('online');
  });

  test('a refused token is replaced once; refused again, it is final', async () => {
    setup.gateway.onOpen = (socket) => socket.end(1008, '{"code":"unauthorized"}');
    setup.gateway.last.end(1008, '{"code":"unauthorized"}');
    await advance(60_000);
    expect(phase()).toBe('away');
    expect(setup.gateway.sockets).toHaveLength(2);
    expect(setup.tokenRequests).toEqual([false, true]);
  });

  test('a token that ended is replaced, and the line comes back with the new one', async () => {
    const before = setup.gateway.last.token;
    setup.gateway.last.end(4005);
    await advance(1_100);
    expect(phase()).toBe('online');
    expect(setup.gateway.last.token).not.toBe(before);
  });
});

describe('moving', () => {
  test('a draining gateway is left in its own slot, without a moment offline', async () => {
    const old = setup.gateway.last;
    const phases = new Set<string>();
    setup.messenger.state.watch((state) => phases.add(state.phase));
    old.deliver({ type: 'system', event: 'draining', reconnect_after_ms: 3_000 });
    await advance(2_900);
    expect(setup.gateway.sockets).toHaveLength(1);
    await advance(200);
    expect(setup.gateway.sockets).toHaveLength(2);
    expect(setup.gateway.last.sent[0]).toMatchObject({ type: 'resume' });
    expect(old.closedWith).toBe(1000);
    expect(setup.gateway.last.closedWith).toBeNull();
    expect([...phases]).toEqual(['online']);
  });

  test('the old socket is kept until the new one has caught up', async () => {
    const old = setup.gateway.last;
    old.deliver({ type: 'system', event: 'draining', reconnect_after_ms: 0 });
    await advance(2);
    setup.gateway.network = { delay: () => 500, copies: () => 1 };
    await advance(100);
    expect(setup.gateway.sockets).toHaveLength(2);
    expect(old.closedWith).toBeNull();
    await advance(2_000);
    expect(old.closedWith).toBe(1000);
  });

  test('a draining gateway that ends before its slot is no different from any other end', async () => {
    setup.gateway.last.deliver({ type: 'system', event: 'draining', reconnect_after_ms: 60_000 });
    await advance(10);
    setup.gateway.last.end(4001, '{"code":"draining"}');
    await advance(1_100);
    expect(phase()).toBe('online');
  });
});

describe('the token', () => {
  test('is renewed on the open socket a minute before its end', async () => {
    await advance(3_539_000);
    expect(setup.gateway.last.sent.some((frame) => frame.type === 'auth.refresh')).toBe(false);
    await advance(2_000);
    expect(setup.gateway.last.sent.some((frame) => frame.type === 'auth.refresh')).toBe(true);
    expect(setup.tokenRequests).toEqual([false, true]);
    expect(setup.gateway.sockets).toHaveLength(1);
  });
});
