/** Makes of what a user types the query that the gateway gets. */

import { fold } from '../base/fold.ts';
import { splitPairs } from '../base/hangul.ts';
import { wellFormed } from '../base/wellFormed.ts';
import type { UserId } from '../contract/wire.ts';

const MIN_CHARS = 2;
const MAX_CHARS = 64;

/** Which messages are searched. All of the user's, if nothing is given. */
export interface SearchFilters {
  conversationId?: string | undefined;
  from?: UserId | undefined;
  has?: 'file' | 'link' | undefined;
  /** Only messages that were sent after this time, and before that one, in RFC 3339. */
  after?: string | undefined;
  before?: string | undefined;
}

/** Empty if there is nothing to search for. What is too long is cut. */
export function queryOf(text: string): string {
  const query = wellFormed(splitPairs(text)).trim();
  return fold(query).trim() === '' ? '' : [...query].slice(0, MAX_CHARS).join('').trim();
}

export const isTooShort = (query: string): boolean => [...fold(query).trim()].length < MIN_CHARS;

/** Two searches with the same key have the same answer. */
export function keyOf(query: string, filters: SearchFilters): string {
  const { conversationId, from, has, after, before } = filters;
  return JSON.stringify([query, conversationId, from, has, after, before]);
}
