'use client';

/** Hook for the unsent text of a conversation. */

import { useMemo } from 'react';
import { useSession } from './context.tsx';
import { useReadable } from './useReadable.ts';

export interface DraftView {
  text: string;
  /** Saves the text. Call it on every key press. */
  change: (text: string) => void;
  /**
   * Call when the text was sent. It empties the box at once, and drops the saved text when `kept` resolves.
   */
  sent: (text: string, kept: Promise<void>) => void;
}

export function useDraft(id: string): DraftView {
  const session = useSession();
  const text = useReadable(session?.drafts.of(id), '');
  return useMemo(
    () => ({
      text,
      change: (typed) => session?.drafts.set(id, typed),
      sent: (content, kept) => session?.drafts.sent(id, content, kept),
    }),
    [session, id, text],
  );
}
