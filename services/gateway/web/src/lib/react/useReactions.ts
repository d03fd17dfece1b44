'use client';

/** Hook for the reactions to one message. */

import { useMemo } from 'react';
import {
  emojiKey,
  type MessageReactions,
  NO_REACTIONS,
  type Reaction,
} from '../core/conversations/reactions.ts';
import { useSession } from './context.tsx';
import { useRoom } from './useConversations.ts';
import { useReadable } from './useReadable.ts';

export interface ReactionsView extends MessageReactions {
  /** The user's own emoji. */
  mine: readonly string[];
  /**
   * Sets or removes the user's reaction. It is visible at once. Without a connection it is sent when there is one,
   * as long as this page is open. If it is refused, it is taken back, and `failure` says why.
   */
  set: (emoji: string, on: boolean) => void;
  /** Removes the user's reaction if there is one, and sets it otherwise. */
  toggle: (emoji: string) => void;
}

export function useReactions(conversationId: string, messageId: string): ReactionsView {
  const session = useSession();
  const room = useRoom(conversationId);
  const shown = useReadable(room?.reactions.of(messageId), NO_REACTIONS);
  return useMemo(() => {
    const set = (emoji: string, on: boolean) => {
      if (room) session?.reacting.set(room, messageId, emoji, on);
    };
    // Two presses may come before the next drawing.
    const now = () => room?.reactions.of(messageId).get().reactions ?? [];
    const toggle = (emoji: string) => set(emoji, !hasMine(now(), emoji));
    const mine = shown.reactions.filter((each) => each.mine).map((each) => each.emoji);
    return { ...shown, mine, set, toggle };
  }, [session, room, messageId, shown]);
}

const hasMine = (reactions: readonly Reaction[], emoji: string) =>
  reactions.some((each) => each.mine && emojiKey(each.emoji) === emojiKey(emoji));
