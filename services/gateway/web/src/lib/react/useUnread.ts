'use client';

/** Hook for the number of unread messages. */

import { useMemo } from 'react';
import { useConversations } from './useConversations.ts';

export interface UnreadView {
  /** The sum over all conversations that are not muted. */
  total: number;
  /** The sum over all conversations. */
  withMuted: number;
  of: (conversationId: string) => number;
}

export function useUnread(): UnreadView {
  const { conversations } = useConversations();
  return useMemo(() => {
    const sum = (rows: typeof conversations) => rows.reduce((total, row) => total + row.unread, 0);
    return {
      total: sum(conversations.filter((row) => !row.muted)),
      withMuted: sum(conversations),
      of: (id) => conversations.find((row) => row.id === id)?.unread ?? 0,
    };
  }, [conversations]);
}
