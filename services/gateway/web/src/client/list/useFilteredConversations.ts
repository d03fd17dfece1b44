/** Finds conversations by their title, by the newest message, or by the other user's name. */

import { type ConversationRow, fold } from '@messenger/react';
import { useMemo } from 'react';
import { useNameOf } from './useNameOf.ts';

const NONE: readonly ConversationRow[] = [];

/** Returns all of them without a filter. */
export function useFilteredConversations(
  rows: readonly ConversationRow[],
  filter: string,
): readonly ConversationRow[] {
  const text = fold(filter).trim();
  const nameOf = useNameOf(text ? rows : NONE);
  return useMemo(() => {
    if (!text) return rows;
    return rows.filter(
      (row) =>
        foldedTextOf(row).includes(text) || (row.type === 'direct' && fold(nameOf(row)).includes(text)),
    );
  }, [rows, text, nameOf]);
}

const foldedTexts = new WeakMap<ConversationRow, string>();

/** A row is a new object when it changes, so its folded text can be cached for the next key press. */
function foldedTextOf(row: ConversationRow): string {
  const known = foldedTexts.get(row);
  if (known !== undefined) return known;
  const made = [row.title, row.last_message?.content].map((each) => fold(each ?? '')).join('\n');
  foldedTexts.set(row, made);
  return made;
}
