'use client';

/** Owns the list of conversations, and one of them, as components see them. */

import { useCallback, useMemo } from 'react';
import type { Actions, NewConversation } from '../core/actions.ts';
import { offline } from '../core/failure.ts';
import type { ListState } from '../core/list.ts';
import type { Room } from '../core/room.ts';
import type { ConversationRow } from '../core/wire.ts';
import { useSession } from './context.tsx';
import { useReadable } from './useReadable.ts';

const NONE: readonly ConversationRow[] = [];
const LOADING: ListState = { status: 'loading', failure: null };

export interface ConversationsView extends ListState {
  /** The newest activity first. */
  conversations: readonly ConversationRow[];
  create: (conversation: NewConversation) => Promise<string>;
  reload: () => void;
}

export function useConversations(): ConversationsView {
  const session = useSession();
  const conversations = useReadable(session?.store.conversations, NONE);
  const state = useReadable(session?.list.state, LOADING);
  const actions = useActions();
  return useMemo(
    () => ({
      ...state,
      conversations,
      create: (conversation) => actions().create(conversation),
      reload: () => void session?.list.load(),
    }),
    [session, conversations, state, actions],
  );
}

/** Null while it isn't known. */
export function useConversation(id: string): ConversationRow | null {
  return useReadable(useRoom(id)?.row, null);
}

/** Conversations come and go with the list. */
export function useRoom(id: string): Room | undefined {
  const session = useSession();
  useReadable(session?.store.conversations, NONE);
  return session?.room(id);
}

/** What a user does; before there is a user nothing can be done. */
export function useActions(): () => Actions {
  const session = useSession();
  return useCallback(() => {
    if (!session) throw offline();
    return session.actions;
  }, [session]);
}
