/**
 * Finds names as people type them. Hangul is compared key by key, so that an unfinished syllable finds the names that
 * it may become: 밋 finds 미소, and 갑ㅅ finds 갑수. A query of initial consonants finds the syllables that begin with
 * them: ㅁㅅ finds 민수.
 */

import { fold } from '@messenger/react';

const INITIALS = [...'ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ'];
const VOWELS = 'ㅏ ㅐ ㅑ ㅒ ㅓ ㅔ ㅕ ㅖ ㅗ ㅗㅏ ㅗㅐ ㅗㅣ ㅛ ㅜ ㅜㅓ ㅜㅔ ㅜㅣ ㅠ ㅡ ㅡㅣ ㅣ'.split(' ');
const FINALS =
  'ㄱ ㄲ ㄱㅅ ㄴ ㄴㅈ ㄴㅎ ㄷ ㄹ ㄹㄱ ㄹㅁ ㄹㅂ ㄹㅅ ㄹㅌ ㄹㅍ ㄹㅎ ㅁ ㅂ ㅂㅅ ㅅ ㅆ ㅇ ㅈ ㅊ ㅋ ㅌ ㅍ ㅎ'.split(
    ' ',
  );

/** By conjoining jamo: the keys with which it is typed. */
const KEYS = new Map<string, string>();
for (const [first, all] of [
  [0x1100, INITIALS],
  [0x1161, VOWELS],
  [0x11a8, FINALS],
] as const)
  all.forEach((keys, index) => {
    KEYS.set(String.fromCharCode(first + index), keys);
  });

/** Two initial consonants, as an input method shows them while nothing follows. */
const PAIRS = 'ㄳ ㄵ ㄶ ㄺ ㄻ ㄼ ㄽ ㄾ ㄿ ㅀ ㅄ'.split(' ');
const PAIR_KEYS = FINALS.filter((keys) => keys.length > 1);

/** The keys of each character of a folded text. */
function keysOf(text: string): string[] {
  const single = text.replace(/[ㄳㄵㄶㄺ-ㅀㅄ]/g, (pair) => PAIR_KEYS[PAIRS.indexOf(pair)] ?? pair);
  return [...fold(single)].map((each) =>
    [...each.normalize('NFD')].map((jamo) => KEYS.get(jamo) ?? jamo).join(''),
  );
}

/** The lower, the better. Infinity if the name does not match. */
export function rankOf(name: string, query: string): number {
  const keys = keysOf(query).join('');
  if (keys === '') return 0;
  const characters = keysOf(name);
  const isInitials = [...keys].every((key) => INITIALS.includes(key));
  const index = isInitials ? startOfInitials(characters, keys) : startOfKeys(characters, keys);
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
