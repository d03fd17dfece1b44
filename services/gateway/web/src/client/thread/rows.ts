/** Owns how messages follow on each other on the screen: days, groups of one sender, where the unread begin. Pure. */

import type { ChatMessage } from '@messenger/react';
import { isSameDay } from 'date-fns';

/** Within this time what one person says is one group. */
const TOGETHER_MS = 5 * 60_000;

export interface Place {
  /** The first of its day, under that day's name. */
  startsDay: boolean;
  /** The first and the last of what its sender said in one go. */
  startsGroup: boolean;
  endsGroup: boolean;
}

export function placeOf(
  before: ChatMessage | undefined,
  message: ChatMessage,
  next: ChatMessage | undefined,
): Place {
  const startsDay = !before || !isSameDay(before.created_at, message.created_at);
  return {
    startsDay,
    startsGroup: startsDay || !before || !belong(before, message),
    endsGroup: !next || !isSameDay(message.created_at, next.created_at) || !belong(message, next),
  };
}

function belong(one: ChatMessage, other: ChatMessage): boolean {
  const apart = Math.abs(Date.parse(other.created_at) - Date.parse(one.created_at));
  return one.sender_id === other.sender_id && apart < TOGETHER_MS;
}

/** The first message of others that isn't read, as things stood when the conversation was opened. */
export function firstUnread(messages: readonly ChatMessage[], readSeq: number): string | null {
  return messages.find((message) => !message.isMine && message.seq > readSeq)?.key ?? null;
}

const LINE_CHARS = 60;
const LINE_PX = 21;
const AROUND_PX = 16;

/** About how high a message is, until it has been drawn. Asked of all that are held for every page: it is cheap. */
export function estimate(message: ChatMessage | undefined): number {
  const lines = 1 + Math.floor((message?.content?.length ?? 0) / LINE_CHARS);
  return AROUND_PX + LINE_PX * lines;
}
