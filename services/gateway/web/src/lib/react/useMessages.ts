'use client';

/** Owns a conversation's messages as a component sees them; the conversation counts as open while it is used. */

import { useEffect, useMemo } from 'react';
import { EMPTY, type History } from '../core/history.ts';
import type { Draft } from '../core/outbox.ts';
import type { ChatMessage } from '../core/timeline.ts';
import type { Message } from '../core/wire.ts';
import { useMessenger, useSession } from './context.tsx';
import { useActions, useRoom } from './useConversations.ts';
import { useReadable } from './useReadable.ts';

const NONE: readonly ChatMessage[] = [];

export interface MessagesView extends Omit<History, 'messages'> {
  /** The oldest first; what is on its way comes last. */
  messages: readonly ChatMessage[];
  loadOlder: () => void;
  /** Reads once more what could not be read. */
  reload: () => void;
  /** Seen at once, kept until it is stored, sent when there is a line. Resolves when it outlives the page. */
  send: (draft: Draft | string) => Promise<void>;
  /** Of what failed, by `client_message_id`. */
  retry: (id: string) => void;
  discard: (id: string) => void;
  edit: (message: Message, content: string) => Promise<void>;
  remove: (message: Message) => Promise<void>;
  /** The user has seen the newest message. */
  markRead: () => void;
}

export function useMessages(id: string): MessagesView {
  const session = useSession();
  const room = useRoom(id);
  const history = useReadable(room?.history, EMPTY);
  const messages = useReadable(room ? session?.timeline(id)?.messages : null, NONE);
  const actions = useActions();
  const { state } = useMessenger();

  useEffect(() => (room ? session?.eyes.open(id) : undefined), [session, room, id]);
  useEffect(() => {
    if (!room || !session) return;
    void session.open(id);
    // What could not be read without a line is read when there is one.
    return state.watch((now) => now.phase === 'online' && void session.open(id));
  }, [session, room, id, state]);

  return useMemo(
    () => ({
      ...history,
      messages,
      loadOlder: () => void session?.older(id),
      reload: () => void session?.open(id),
      send: async (draft) => {
        const said = typeof draft === 'string' ? { content: draft } : draft;
        await session?.send(id, said).kept;
      },
      retry: (entry) => session?.outbox.retry(entry),
      discard: (entry) => session?.outbox.remove(entry),
      edit: (message, content) => actions().edit(message, content),
      remove: (message) => actions().remove(message),
      markRead: () => session?.markRead(id),
    }),
    [session, id, history, messages, actions],
  );
}
