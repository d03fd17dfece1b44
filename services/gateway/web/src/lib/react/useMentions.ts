'use client';

/** Hooks for the messages that mention the user. */

import { useCallback, useEffect, useMemo } from 'react';
import type { Message } from '../core/contract/wire.ts';
import type { MentionRange } from '../core/conversations/mentionFinder.ts';
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
   * Resolves to the messages of the conversation that mention the user, the oldest first: the unread ones, or those from
   * `from` on. With `count` it looks no farther once so many are found. Rejects with MessengerError.
   */
  find: (which?: MentionRange) => Promise<Message[]>;
}

/** The unread mentions of the user in one conversation. */
export function useUnreadMentions(id: string): UnreadMentionsView {
  const session = useSession();
  const count = useConversation(id)?.unread_mentions ?? 0;
  const find = useCallback(
    async (which?: MentionRange) => {
      const room = session?.room(id);
      return session && room ? session.mentions.find(room, which) : [];
    },
    [session, id],
  );
  return useMemo(() => ({ count, find }), [count, find]);
}
