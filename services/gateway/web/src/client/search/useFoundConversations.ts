/** Finds conversations by name as people type it, the best matches first. */

import { type ConversationRow, useConversations } from '@messenger/react';
import { useMemo } from 'react';
import { useNameOf } from '../list/useNameOf.ts';
import { rankOf } from '../text/nameSearch.ts';

const NONE: readonly ConversationRow[] = [];

/** Every word has to be in the name. Nothing is found for blank text. */
export function useFoundConversations(text: string): readonly ConversationRow[] {
  const { conversations } = useConversations();
  const words = text.trim();
  const nameOf = useNameOf(words ? conversations : NONE);
  return useMemo(() => {
    if (!words) return NONE;
    const ranked = conversations.map((row) => ({ row, rank: rankOfWords(nameOf(row), words) }));
    return ranked
      .filter(({ rank }) => rank < Number.POSITIVE_INFINITY)
      .sort((a, b) => a.rank - b.rank)
      .map(({ row }) => row);
  }, [conversations, words, nameOf]);
}

/** The lower, the better. */
function rankOfWords(name: string, words: string): number {
  return words.split(/\s+/).reduce((sum, word) => sum + rankOf(name, word), 0);
}
