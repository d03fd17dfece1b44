'use client';

/** Hook for whether a conversation is muted. */

import { useMemo } from 'react';
import type { Settings } from '../core/contract/wire.ts';
import { useActions, useConversation } from './useConversations.ts';

export interface MutedView {
  isMuted: boolean;
  mute: (muted: boolean) => Promise<Settings>;
}

export function useMuted(id: string): MutedView {
  const isMuted = useConversation(id)?.muted ?? false;
  const actions = useActions();
  return useMemo(
    () => ({ isMuted, mute: (muted) => actions().setSettings(id, { muted }) }),
    [id, isMuted, actions],
  );
}
