'use client';

/** Hook for a conversation's messages. The conversation counts as open while a component uses it. */

import { useEffect, useMemo } from 'react';
import { isBlank } from '../core/base/blank.ts';
import type { MentionFields } from '../core/contract/mentions.ts';
import type { Message } from '../core/contract/wire.ts';
import { EMPTY_HISTORY, type History } from '../core/conversations/history.ts';
import type { ChatMessage } from '../core/conversations/timeline.ts';
import type { Draft } from '../core/outbox/outbox.ts';
import { useMessenger, useSession } from './context.tsx';
import { useActions, useRoom } from './useConversations.ts';
import { useReadable } from './useReadable.ts';

const NONE: readonly ChatMessage[] = [];

export interface MessagesView extends Omit<History, 'messages'> {
  /** The oldest first. Unsent messages come last. */
  messages: readonly ChatMessage[];
  loadOlder: () => void;
  loadNewer: () => void;
  /**
   * Loads this message and those around it. If it is far from the loaded messages, it replaces them, and `hasNewer` is
   * true until `loadNewest` or `loadNewer` has led back.
   */
  loadAround: (messageId: string) => Promise<void>;
  loadNewest: () => Promise<void>;
  /** Tries again to load what could not be loaded. */
  reload: () => void;
  /**
   * Sends a message. It is visible at once, saved until the gateway has stored it, and sent when there is a
   * connection. Resolves when it outlives the page. Blank text without a file is not sent.
   */
  send: (draft: Draft | string) => Promise<void>;
  /** Sends a failed message again, by its `client_message_id`. */
  retry: (id: string) => void;
  discard: (id: string) => void;
  /** The mentions replace those of the message, so without any it mentions nobody. */
  edit: (message: Message, content: string, mentioned?: MentionFields) => Promise<void>;
  remove: (message: Message) => Promise<void>;
  /** Call when the user has seen the newest message. */
  markRead: () => void;
  /** Marks this message and all later ones as unread, for this user only, until they read again. */
  markUnread: (message: Message) => Promise<void>;
}

export function useMessages(id: string): MessagesView {
  const session = useSession();
  const room = useRoom(id);
  const history = useReadable(room?.history, EMPTY_HISTORY);
  const messages = useReadable(room ? session?.timeline(id)?.messages : null, NONE);
  const actions = useActions();
  const { state } = useMessenger();

  useEffect(() => (room ? session?.view.open(id) : undefined), [session, room, id]);
  useEffect(() => {
    if (!room || !session) return;
    void session.open(id);
    // What could not be loaded while offline is loaded when the connection is back.
    return state.watch((now) => now.phase === 'online' && void session.open(id));
  }, [session, room, id, state]);

  return useMemo(
    () => ({
      ...history,
      messages,
      loadOlder: () => void session?.loadOlder(id),
      loadNewer: () => void session?.loadNewer(id),
      loadAround: async (messageId) => session?.loadAround(id, messageId),
      loadNewest: async () => session?.loadNewest(id),
      reload: () => void session?.open(id),
      send: async (draft) => {
        const message = typeof draft === 'string' ? { content: draft } : draft;
        if (isBlank(message.content) && !message.file_url && !message.uploads?.length) return;
        await session?.send(id, message).kept;
      },
      retry: (entry) => session?.outbox.retry(entry),
      discard: (entry) => session?.outbox.remove(entry),
      edit: (message, content, mentioned) => actions().edit(message, content, mentioned),
      remove: (message) => actions().remove(message),
      markRead: () => session?.markRead(id),
      markUnread: (message) => actions().markUnread(message),
    }),
    [session, id, history, messages, actions],
  );
}
