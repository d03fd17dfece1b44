/**
 * Defines the loaded part of a conversation's messages, and merges other messages into it. It has no side
 * effects.
 */

import type { Failure } from '../contract/failure.ts';
import type { Message } from '../contract/wire.ts';

/** The newest messages of a conversation, without a hole, as far back as the user has scrolled. */
export interface History {
  messages: readonly Message[];
  hasOlder: boolean;
  status: 'empty' | 'loading' | 'ready' | 'failed';
  isLoadingOlder: boolean;
  failure: Failure | null;
}

export const EMPTY_HISTORY: History = {
  messages: [],
  hasOlder: true,
  status: 'empty',
  isLoadingOlder: false,
  failure: null,
};

/** `pos` numbers a message's last change, so the higher `pos` is the later state. */
const isNewer = (one: Message, other: Message) => one.pos > other.pos;

/**
 * Merges two lists that are sorted by `seq`, and takes the latest state of each message. Returns `held`
 * itself if nothing is new.
 */
export function mergeMessages(held: readonly Message[], arrived: readonly Message[]): readonly Message[] {
  const bySeq = new Map<number, Message>();
  for (const message of arrived) bySeq.set(message.seq, message);
  let isChanged = false;
  const found = held.map((message) => {
    const other = bySeq.get(message.seq);
    bySeq.delete(message.seq);
    if (!other || !isNewer(other, message)) return message;
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

/**
 * Returns the first `seq` that is missing between the messages, or after them up to `lastSeq`. Returns null
 * if none is missing.
 */
export function firstHole(messages: readonly Message[], lastSeq: number): number | null {
  const first = messages[0];
  if (!first) return lastSeq > 0 ? 1 : null;
  const at = messages.findIndex((message, index) => message.seq !== first.seq + index);
  if (at > 0) return first.seq + at;
  const next = first.seq + messages.length;
  return next <= lastSeq ? next : null;
}
