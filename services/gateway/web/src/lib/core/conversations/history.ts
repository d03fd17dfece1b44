/**
 * Defines the loaded part of a conversation's messages, and merges other messages into it. It has no side
 * effects.
 */

import type { Failure } from '../contract/failure.ts';
import type { Message } from '../contract/wire.ts';

/**
 * A part of a conversation's messages without a hole. Usually it ends with the newest message. After a jump to an
 * old message it may end earlier; then `hasNewer` is true and live messages are not added to it.
 */
export interface History {
  messages: readonly Message[];
  hasOlder: boolean;
  hasNewer: boolean;
  status: 'empty' | 'loading' | 'ready' | 'failed';
  isLoadingOlder: boolean;
  isLoadingNewer: boolean;
  failure: Failure | null;
}

export const EMPTY_HISTORY: History = {
  messages: [],
  hasOlder: true,
  hasNewer: false,
  status: 'empty',
  isLoadingOlder: false,
  isLoadingNewer: false,
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

/** Returns the messages that lie in the loaded part, or follow it directly. */
export function within(history: History, messages: readonly Message[]): readonly Message[] {
  const from = history.hasOlder ? (history.messages[0]?.seq ?? 0) : 0;
  const to = history.hasNewer ? lastSeqOf(history) : Number.POSITIVE_INFINITY;
  return messages.filter(({ seq }) => seq >= from && seq <= to);
}

/** Whether two parts overlap, or one directly follows the other, so that they are one part without a hole. */
export function adjoins(one: readonly Message[], other: readonly Message[]): boolean {
  const [from, to] = [one[0]?.seq ?? 0, one.at(-1)?.seq ?? 0];
  return (other[0]?.seq ?? 0) <= to + 1 && (other.at(-1)?.seq ?? 0) >= from - 1;
}

export const lastSeqOf = ({ messages }: History): number => messages.at(-1)?.seq ?? 0;

/**
 * Returns the first `seq` that is missing between the messages, or after them up to the conversation's last one
 * if they should reach it. Returns null if none is missing.
 */
export function firstHole(
  { messages, hasNewer }: Pick<History, 'messages' | 'hasNewer'>,
  conversationLastSeq: number,
): number | null {
  const lastSeq = hasNewer ? (messages.at(-1)?.seq ?? 0) : conversationLastSeq;
  const first = messages[0];
  if (!first) return lastSeq > 0 ? 1 : null;
  const at = messages.findIndex((message, index) => message.seq !== first.seq + index);
  if (at > 0) return first.seq + at;
  const next = first.seq + messages.length;
  return next <= lastSeq ? next : null;
}
