/** The words that mention all members of a conversation, in each language of the client. */

import type { UserId } from '@messenger/react';

/** A user, or all members. */
export type Mentioned = UserId | 'all';

const WORDS = /(?<![a-z0-9._%+-])@(?:all(?![a-z0-9_])|모두)/gi;

export interface FoundWord {
  start: number;
  label: string;
}

export function findAllWords(text: string): FoundWord[] {
  return [...text.matchAll(WORDS)].map(({ index, 0: label }) => ({ start: index, label }));
}
