/**
 * Finds names as people type them. Hangul is compared key by key, so that an unfinished syllable finds the names that
 * it may become: 밋 finds 미소, and 갑ㅅ finds 갑수. A query of initial consonants finds the syllables that begin with
 * them: ㅁㅅ finds 민수.
 */

import { areInitials, keysOf } from '@messenger/react';

/** The lower, the better. Infinity if the name does not match. */
export function rankOf(name: string, query: string): number {
  const keys = keysOf(query).join('');
  if (keys === '') return 0;
  const characters = keysOf(name);
  const index = areInitials(keys) ? startOfInitials(characters, keys) : startOfKeys(characters, keys);
  if (index < 0) return Number.POSITIVE_INFINITY;
  if (index === 0) return 0;
  return characters[index - 1] === ' ' ? 1 : 2;
}

function startOfKeys(characters: string[], keys: string): number {
  return characters.findIndex((_, index) => characters.slice(index).join('').startsWith(keys));
}

function startOfInitials(characters: string[], keys: string): number {
  return characters
    .map((each) => each.charAt(0))
    .join('')
    .indexOf(keys);
}
