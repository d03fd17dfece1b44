'use client';

/** Hooks for a conversation's notification settings. */

import { useMemo } from 'react';
import type { Notify, Settings } from '../core/contract/wire.ts';
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

export interface NotifyView {
  /** Which messages notify the user, unless the conversation is muted. */
  notify: Notify;
  setNotify: (notify: Notify) => Promise<Settings>;
}

export function useNotify(id: string): NotifyView {
  const notify = useConversation(id)?.notify ?? 'all';
  const actions = useActions();
  return useMemo(
    () => ({ notify, setNotify: (chosen) => actions().setSettings(id, { notify: chosen }) }),
    [id, notify, actions],
  );
}
