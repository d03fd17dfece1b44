/** Owns what a stretch of a conversation's messages is, and how others are laid into it. Pure. */

import type { Failure } from './failure.ts';
import type { Message } from './wire.ts';

/** The newest messages of a conversation, without a hole, as far back as somebody has looked. */
export interface History {
  messages: readonly Message[];
  hasOlder: boolean;
  status: 'empty' | 'loading' | 'ready' | 'failed';
  isLoadingOlder: boolean;
  failure: Failure | null;
}

export const EMPTY: History = {
  messages: [],
  hasOlder: true,
  status: 'empty',
  isLoadingOlder: false,
  failure: null,
};

/** `pos` is that of a message's last change, so the higher one is the later state. */
const isLater = (one: Message, other: Message) => one.pos > other.pos;

/** Both in the order of `seq`, of each message its latest state; the same list if nothing is new. */
export function merged(held: readonly Message[], come: readonly Message[]): readonly Message[] {
  const bySeq = new Map<number, Message>();
  for (const message of come) bySeq.set(message.seq, message);
  let isChanged = false;
  const found = held.map((message) => {
    const other = bySeq.get(message.seq);
    bySeq.delete(message.seq);
    if (!other || !isLater(other, message)) return message;
    isChanged = true;
    return other;
  });
  if (bySeq.size === 0) return isChanged ? found : held;
  found.push(...bySeq.values());
  return isAscending(found) ? found : found.sort((a, b) => a.seq - b.seq);
}

function isAscending(messages: readonly Message[]): boolean {
  return messages.every((message, index) => index === 0 || (messages[index - 1]?.seq ?? 0) < message.seq);
}

/** The first `seq` that is missing between the held ones, or after them up to `lastSeq`; null if none is. */
export function firstHole(messages: readonly Message[], lastSeq: number): number | null {
  const first = messages[0];
  if (!first) return lastSeq > 0 ? 1 : null;
  const at = messages.findIndex((message, index) => message.seq !== first.seq + index);
  if (at > 0) return first.seq + at;
  const next = first.seq + messages.length;
  return next <= lastSeq ? next : null;
}
