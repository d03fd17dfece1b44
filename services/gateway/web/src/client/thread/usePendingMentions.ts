/**
 * Finds the mentions of the user that were unread when the conversation was opened, or have come since, and that the
 * user has not had on the screen. Opening a conversation may mark all of it as read, so the unread ones are not enough.
 */

import {
  type ChatMessage,
  type ConversationRow,
  type Message,
  mentionsUser,
  useSession,
  useUnreadMentions,
} from '@messenger/react';
import { useEffect, useMemo, useState } from 'react';
import { useHasFocus } from './useHasFocus.ts';

export interface VisibleRange {
  /** The `seq` of the first and the last message on the screen. */
  first: number;
  last: number;
}

/** A message has been seen when it was on the screen for this long. */
const SEEN_MS = 700;

/** Returns the messages with such mentions, the oldest first. */
export function usePendingMentions(
  row: ConversationRow,
  messages: readonly ChatMessage[],
  { first, last }: VisibleRange,
): readonly Message[] {
  const me = useSession()?.me ?? 0;
  const hasFocus = useHasFocus();
  const [from] = useState(row.marked_unread_from ?? row.read_seq + 1);
  const found = useFoundMentions(row, from);
  const [seen, setSeen] = useState<ReadonlySet<number>>(new Set());
  const pending = useMemo(() => {
    const loaded = new Map<number, Message>(messages.map((message) => [message.seq, message]));
    const candidates = [...found.filter(({ seq }) => !loaded.has(seq)), ...loaded.values()];
    const isPending = (message: Message) =>
      message.seq >= from && !seen.has(message.seq) && mentionsUser(message, me);
    return candidates.filter(isPending).sort((a, b) => a.seq - b.seq);
  }, [messages, found, seen, from, me]);
  const shown = pending
    .map(({ seq }) => seq)
    .filter((seq) => seq >= first && seq <= last)
    .join();
  useEffect(() => {
    if (!hasFocus || shown === '') return;
    const timer = setTimeout(() => {
      setSeen((before) => new Set([...before, ...shown.split(',').map(Number)]));
    }, SEEN_MS);
    return () => clearTimeout(timer);
  }, [hasFocus, shown]);
  return pending;
}

/** Mentions that were unread may be far above the loaded messages. */
function useFoundMentions(row: ConversationRow, from: number): readonly Message[] {
  const { find } = useUnreadMentions(row.id);
  const [count] = useState(row.unread_mentions);
  const [found, setFound] = useState<readonly Message[]>([]);
  useEffect(() => {
    if (count === 0) return;
    let isWanted = true;
    // If this fails, those among the loaded messages are found all the same.
    find({ from, count }).then(
      (mentions) => isWanted && setFound(mentions),
      () => undefined,
    );
    return () => {
      isWanted = false;
    };
  }, [find, from, count]);
  return found;
}
