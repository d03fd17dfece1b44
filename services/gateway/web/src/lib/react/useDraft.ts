'use client';

/** Owns what was typed in a conversation and isn't sent. */

import { useMemo } from 'react';
import { useSession } from './context.tsx';
import { useReadable } from './useReadable.ts';

export interface DraftView {
  text: string;
  /** Kept with every key. */
  change: (text: string) => void;
  /** It was sent: empties the box at once, and forgets the text when `kept` says that it can't be lost. */
  sent: (text: string, kept: Promise<void>) => void;
}

export function useDraft(id: string): DraftView {
  const session = useSession();
  const text = useReadable(session?.drafts.of(id), '');
  return useMemo(
    () => ({
      text,
      change: (typed) => session?.drafts.set(id, typed),
      sent: (said, kept) => session?.drafts.sent(id, said, kept),
    }),
    [session, id, text],
  );
}
