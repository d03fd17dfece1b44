'use client';

/** Owns who types in a conversation, and saying that the user does. */

import { useMemo } from 'react';
import type { UserId } from '../core/wire.ts';
import { useSession } from './context.tsx';
import { useRoom } from './useConversations.ts';
import { useReadable } from './useReadable.ts';

const NOBODY: readonly UserId[] = [];

export interface TypingView {
  /** The others who type now. */
  typists: readonly UserId[];
  /** For every key; the others are told now and then. */
  type: () => void;
  stop: () => void;
}

export function useTyping(id: string): TypingView {
  const session = useSession();
  const typists = useReadable(useRoom(id)?.typists, NOBODY);
  return useMemo(
    () => ({ typists, type: () => session?.typing.went(id), stop: () => session?.typing.stopped(id) }),
    [session, id, typists],
  );
}
