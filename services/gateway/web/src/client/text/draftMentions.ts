/**
 * Tracks the mentions in a text that is being written. They stand beside the text, by offset. An edit before a mention
 * moves it; an edit inside it makes it ordinary text. Offsets are in UTF-16 units. Nothing here has side effects.
 */

import type { Mentioned } from './mentionedAll.ts';

export interface DraftMention {
  user: Mentioned;
  start: number;
  /** The text of the mention, with its `@`. */
  label: string;
}

/** The part of the earlier text that an edit replaced. */
interface Change {
  start: number;
  end: number;
  /** How much longer the text has become. */
  growth: number;
}

export const endOf = ({ start, label }: DraftMention): number => start + label.length;

/** Returns the mentions that still stand in the text. Whatever happened to it, none of them is in a wrong place. */
export function standing(mentions: readonly DraftMention[], text: string): DraftMention[] {
  return mentions.filter(({ start, label }) => text.startsWith(label, start));
}

/** Returns the mentions after an edit. `caret` is where the caret stands after it. */
export function trackEdit(
  mentions: readonly DraftMention[],
  before: string,
  after: string,
  caret: number,
): DraftMention[] {
  const { start, end, growth } = changeBetween(before, after, caret);
  const moved = mentions.flatMap((mention) => {
    if (endOf(mention) <= start) return [mention];
    return mention.start >= end ? [{ ...mention, start: mention.start + growth }] : [];
  });
  return standing(moved, after);
}

/**
 * After typing, pasting and deleting, the text behind the caret is as before. That tells which of two equal parts was
 * changed. Otherwise, as after an undo, only what both texts share counts.
 */
function changeBetween(before: string, after: string, caret: number): Change {
  const growth = after.length - before.length;
  const tail = after.slice(caret);
  const isTailKept = tail.length <= before.length && before.endsWith(tail);
  const kept = isTailKept ? tail.length : sharedEnd(before, after);
  const most = Math.min(before.length, after.length) - kept;
  const start = Math.min(sharedStart(before, after), Math.max(0, most));
  return { start, end: Math.max(start, before.length - kept), growth };
}

function sharedStart(one: string, other: string): number {
  let length = 0;
  while (length < one.length && one.charCodeAt(length) === other.charCodeAt(length)) length += 1;
  return length;
}

function sharedEnd(one: string, other: string): number {
  const most = Math.min(one.length, other.length);
  let length = 0;
  while (length < most && one.charAt(one.length - 1 - length) === other.charAt(other.length - 1 - length))
    length += 1;
  return length;
}

/** The mention that Backspace or Delete removes as a whole when the caret is here. */
export function mentionBeside(
  mentions: readonly DraftMention[],
  caret: number,
  key: string,
): DraftMention | undefined {
  if (key === 'Backspace') return mentions.find((mention) => endOf(mention) === caret);
  return key === 'Delete' ? mentions.find(({ start }) => start === caret) : undefined;
}

/**
 * Returns the rest of a mention of which a keyboard has deleted the last or the first character. Such keyboards, on
 * phones, tell of no key.
 */
export function restOfMention(
  mentions: readonly DraftMention[],
  before: string,
  after: string,
  caret: number,
): { start: number; end: number } | null {
  const { start, end, growth } = changeBetween(before, after, caret);
  if (growth >= 0 || end - start !== -growth) return null;
  const mention = mentions.find((each) => each.start <= start && endOf(each) >= end);
  if (!mention || -growth >= mention.label.length) return null;
  if (endOf(mention) === end) return { start: mention.start, end: start };
  return mention.start === start ? { start, end: endOf(mention) + growth } : null;
}

export interface MentionQuery {
  /** Where its `@` stands. */
  start: number;
  /** What is typed between the `@` and the caret. */
  text: string;
}

const MAX_QUERY = 40;
/** As in a mail address. */
const ADDRESS = /[a-z0-9._%+-]$/i;

/** The name that is being typed behind an `@`, or null. */
export function queryAt(text: string, caret: number, mentions: readonly DraftMention[]): MentionQuery | null {
  const start = text.slice(0, caret).lastIndexOf('@');
  if (start < 0 || caret - start > MAX_QUERY || ADDRESS.test(text.slice(Math.max(0, start - 1), start)))
    return null;
  if (mentions.some((mention) => mention.start <= start && start < endOf(mention))) return null;
  const typed = text.slice(start + 1, caret);
  return /^\s|\n/.test(typed) ? null : { start, text: typed };
}
