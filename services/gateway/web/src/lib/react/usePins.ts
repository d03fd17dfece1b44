'use client';

/** Hook for the pinned messages of a conversation. */

import { useEffect, useMemo } from 'react';
import type { Page } from '../core/connection/restClient.ts';
import { offlineError } from '../core/contract/failure.ts';
import type { Message, Pin } from '../core/contract/wire.ts';
import { NO_PINS, type PinsState } from '../core/conversations/pins.ts';
import { useSession } from './context.tsx';
import { useRoom } from './useConversations.ts';
import { useFeature } from './useFeature.ts';
import { useReadable } from './useReadable.ts';

export interface PinsView extends PinsState {
  isPinned: (messageId: string) => boolean;
  /** Pins a message. It is visible at once. Rejects, and is taken back, if it is refused or not connected. */
  pin: (message: Message) => Promise<void>;
  unpin: (message: Message) => Promise<void>;
  /** The page of older pins that begins at `cursor`. */
  more: (cursor: string) => Promise<Page<Pin>>;
}

export function usePins(conversationId: string): PinsView {
  const session = useSession();
  const room = useRoom(conversationId);
  const state = useReadable(room?.pins.state, NO_PINS);
  const isSupported = useFeature('pins');
  const isEmpty = state.status === 'empty';
  useEffect(() => {
    if (room && isEmpty && isSupported) void session?.pinning.load(room);
  }, [session, room, isEmpty, isSupported]);
  return useMemo(() => {
    const pinning = () => {
      if (!session) throw offlineError();
      return session.pinning;
    };
    return {
      ...state,
      isPinned: (id) => state.pins.some((pin) => pin.message.id === id),
      pin: async (message) => pinning().set(message, true),
      unpin: async (message) => pinning().set(message, false),
      more: async (cursor) => pinning().page(conversationId, cursor),
    };
  }, [session, conversationId, state]);
}
