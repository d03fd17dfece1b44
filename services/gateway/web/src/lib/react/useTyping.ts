'use client';

/** Hook for who is typing in a conversation, and for reporting that the user is. */

import { useMemo } from 'react';
import type { UserId } from '../core/contract/wire.ts';
import { useSession } from './context.tsx';
import { useRoom } from './useConversations.ts';
import { useReadable } from './useReadable.ts';

const NOBODY: readonly UserId[] = [];

export interface TypingView {
  /** The other members who are typing now. */
  typists: readonly UserId[];
  /** Call on every key press. The other members are told at intervals. */
  type: () => void;
  stop: () => void;
}

export function useTyping(id: string): TypingView {
  const session = useSession();
  const typists = useReadable(useRoom(id)?.typists, NOBODY);
  return useMemo(
    () => ({ typists, type: () => session?.typing.keyPressed(id), stop: () => session?.typing.stopped(id) }),
    [session, id, typists],
  );
}
