/**
 * Decides how messages are grouped on the screen: by day, by sender, and where the unread ones begin. It has
 * no side effects.
 */

import type { ChatMessage } from '@messenger/react';
import { heightOf } from '../files/pictures.ts';
import { dayNumber } from '../i18n/today.ts';

/** Messages of one sender within this time form one group. */
const GROUP_MS = 5 * 60_000;

export interface GroupPosition {
  /** Whether this is the first message of its day, which has the day's heading. */
  startsDay: boolean;
  /** Whether this is the first or the last message of a group. */
  startsGroup: boolean;
  endsGroup: boolean;
}

export function groupPositionOf(
  before: ChatMessage | undefined,
  message: ChatMessage,
  next: ChatMessage | undefined,
): GroupPosition {
  const startsDay = !before || !isSameDay(before, message);
  return {
    startsDay,
    startsGroup: startsDay || !before || !isSameGroup(before, message),
    endsGroup: !next || !isSameDay(message, next) || !isSameGroup(message, next),
  };
}

function isSameDay(one: ChatMessage, other: ChatMessage): boolean {
  return dayNumber(new Date(one.created_at)) === dayNumber(new Date(other.created_at));
}

function isSameGroup(one: ChatMessage, other: ChatMessage): boolean {
  const apart = Math.abs(Date.parse(other.created_at) - Date.parse(one.created_at));
  return one.sender_id === other.sender_id && apart < GROUP_MS;
}

/**
 * Returns the key of the first unread message of others, as of the moment when the conversation was opened.
 */
export function firstUnread(messages: readonly ChatMessage[], readSeq: number): string | null {
  return messages.find((message) => !message.isMine && message.seq > readSeq)?.key ?? null;
}

const CHARS_PER_LINE = 60;
const LINE_HEIGHT_PX = 21;
const PADDING_PX = 16;

/**
 * Estimates a message's height until it has been drawn. It runs for every loaded message when a page is
 * added, so it is cheap.
 */
export function estimateHeight(message: ChatMessage | undefined): number {
  const lines = 1 + Math.floor((message?.content?.length ?? 0) / CHARS_PER_LINE);
  return PADDING_PX + LINE_HEIGHT_PX * lines + heightOf(message?.attachments ?? []);
}
