import { describe, expect, test } from 'vitest';
import { pass, world } from './world.ts';

const it = world();

/** Numbers that look random and are the same in every run (mulberry32). */
function dice(seed: number): () => number {
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
      const roll = dice(seed);
      void it.session().open(it.gateway.conversation);
      await pass(50);
      it.gateway.weather = {
        // A socket loses nothing by itself; what the bus behind it lost is an event that never comes.
        delay: (isLive) => (isLive && roll() < 0.1 ? null : roll() < 0.05 ? 12_000 * roll() : 60 * roll()),
        copies: () => (roll() < 0.1 ? 2 : 1),
      };
      const mine: string[] = [];
      for (let step = 0; step < 120; step += 1) {
        const what = roll();
        if (what < 0.35) it.gateway.say(`theirs ${step}`);
        else if (what < 0.7) {
          mine.push(`mine ${step}`);
          it.session().send(it.gateway.conversation, { content: `mine ${step}` });
        } else if (what < 0.8 && it.gateway.messages.length) {
          it.gateway.edit(1 + Math.floor(roll() * it.gateway.messages.length), `edited ${step}`);
        } else if (what < 0.85) it.gateway.last.end(roll() < 0.5 ? 1006 : 4003);
        else if (what < 0.87)
          it.gateway.last.deliver({ type: 'system', event: 'draining', reconnect_after_ms: 500 });
        await pass(400 * roll());
      }
      it.gateway.weather = { delay: () => 1, copies: () => 1 };
      await pass(120_000);
      it.gateway.last.end(1006);
      await pass(40_000);

      const held = it.session().timeline(it.gateway.conversation)?.messages.get() ?? [];
      expect(held.map((message) => [message.seq, message.version, message.content])).toEqual(
        it.gateway.messages.map((message) => [message.seq, message.version, message.content]),
      );
      const clientIds = it.gateway.messages.map((message) => message.client_message_id).filter(Boolean);
      expect(clientIds).toHaveLength(mine.length);
      expect([...clientIds].sort()).toEqual(clientIds);
      expect(it.session().outbox.entries.get()).toEqual([]);
      expect(it.gateway.live.size).toBe(1);
    },
  );
});
