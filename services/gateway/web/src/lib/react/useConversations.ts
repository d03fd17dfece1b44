'use client';

/** Hooks for the list of conversations and for one conversation. */

import { useCallback, useMemo } from 'react';
import { offlineError } from '../core/contract/failure.ts';
import type { ConversationRow } from '../core/contract/wire.ts';
import type { Actions, NewConversation } from '../core/conversations/actions.ts';
import type { Room } from '../core/conversations/room.ts';
import type { ListState } from '../core/sync/listLoader.ts';
import { useSession } from './context.tsx';
import { useReadable } from './useReadable.ts';

const NONE: readonly ConversationRow[] = [];
const LOADING: ListState = { status: 'loading', failure: null };

export interface ConversationsView extends ListState {
  /** Sorted by activity, the newest first. */
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

/** Null while the conversation is not known. */
export function useConversation(id: string): ConversationRow | null {
  return useReadable(useRoom(id)?.row, null);
}

/** Redraws when the list changes, because rooms are added and removed with it. */
export function useRoom(id: string): Room | undefined {
  const session = useSession();
  useReadable(session?.store.conversations, NONE);
  return session?.room(id);
}

/** Returns a function that gives the user's actions. It throws while the user is not known. */
export function useActions(): () => Actions {
  const session = useSession();
  return useCallback(() => {
    if (!session) throw offlineError();
    return session.actions;
  }, [session]);
}
