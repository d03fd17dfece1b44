'use client';

/** Hooks for the messages that mention the user. */

import { useEffect, useMemo } from 'react';
import { EMPTY_MENTIONS, MentionList, type MentionListState } from '../core/conversations/mentionList.ts';
import { useSession } from './context.tsx';
import { useConversation } from './useConversations.ts';
import { useReadable } from './useReadable.ts';

export interface MentionsView extends MentionListState {
  /** Loads the next page. After a failure it tries again. */
  loadMore: () => void;
}

/** The messages of all conversations that mention the user, by name or with all members. */
export function useMentions(): MentionsView {
  const session = useSession();
  const list = useMemo(
    () => (session ? new MentionList(session.mentions, session.connection, session.me) : null),
    [session],
  );
  useEffect(() => {
    list?.start();
    return () => list?.stop();
  }, [list]);
  const state = useReadable(list?.state, EMPTY_MENTIONS);
  return useMemo(() => ({ ...state, loadMore: () => list?.loadMore() }), [state, list]);
}

export interface UnreadMentionsView {
  count: number;
  /**
   * Resolves to the `seq` of the first unread mention after `seq`, or of the first one if there is none after it.
   * Null if there are no unread mentions. Rejects with MessengerError.
   */
  next: (seq: number) => Promise<number | null>;
}

/** The unread mentions of the user in one conversation. */
export function useUnreadMentions(id: string): UnreadMentionsView {
  const session = useSession();
  const count = useConversation(id)?.unread_mentions ?? 0;
  return useMemo(
    () => ({
      count,
      next: async (seq) => {
        const room = session?.room(id);
        const found = room ? await session?.mentions.unreadIn(room) : undefined;
        return found?.find((each) => each > seq) ?? found?.[0] ?? null;
      },
    }),
    [session, id, count],
  );
}
