import { describe, expect, test } from 'vitest';
import { advance, setUpMessenger } from './setup.ts';

const setup = setUpMessenger();

/** Pseudo-random numbers that are the same in every run (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe('over a link that reorders, repeats, loses, stalls and is cut', () => {
  test.each(Array.from({ length: 25 }, (_, n) => n + 1))(
    'everything is seen in the end, once and in order (seed %i)',
    async (seed) => {
      const roll = seededRandom(seed);
      void setup.session().open(setup.gateway.conversation);
      await advance(50);
      setup.gateway.network = {
        // A socket by itself loses nothing. A message that the bus behind it lost is an event that never
        // arrives.
        delay: (isLive) => (isLive && roll() < 0.1 ? null : roll() < 0.05 ? 12_000 * roll() : 60 * roll()),
        copies: () => (roll() < 0.1 ? 2 : 1),
      };
      const mine: string[] = [];
      for (let step = 0; step < 120; step += 1) {
        const what = roll();
        if (what < 0.35) setup.gateway.storeMessage(`theirs ${step}`);
        else if (what < 0.7) {
          mine.push(`mine ${step}`);
          setup.session().send(setup.gateway.conversation, { content: `mine ${step}` });
        } else if (what < 0.8 && setup.gateway.messages.length) {
          setup.gateway.edit(1 + Math.floor(roll() * setup.gateway.messages.length), `edited ${step}`);
        } else if (what < 0.85) setup.gateway.last.end(roll() < 0.5 ? 1006 : 4003);
        else if (what < 0.87)
          setup.gateway.last.deliver({ type: 'system', event: 'draining', reconnect_after_ms: 500 });
        await advance(400 * roll());
      }
      setup.gateway.network = { delay: () => 1, copies: () => 1 };
      await advance(120_000);
      setup.gateway.last.end(1006);
      await advance(40_000);

      const held = setup.session().timeline(setup.gateway.conversation)?.messages.get() ?? [];
      expect(held.map((message) => [message.seq, message.version, message.content])).toEqual(
        setup.gateway.messages.map((message) => [message.seq, message.version, message.content]),
      );
      const clientIds = setup.gateway.messages.map((message) => message.client_message_id).filter(Boolean);
      expect(clientIds).toHaveLength(mine.length);
      expect([...clientIds].sort()).toEqual(clientIds);
      expect(setup.session().outbox.entries.get()).toEqual([]);
      expect(setup.gateway.live.size).toBe(1);
    },
  );
});
