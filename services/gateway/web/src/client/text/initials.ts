/** Makes the one or two letters on an avatar. */

import { isBlank } from '@messenger/react';
import { stripBidiControls } from './bidi.ts';
import { firstGraphemes } from './graphemes.ts';

const LETTERS = 2;
const DIGITS = 3;

/** Returns two letters at most. For a name such as "User 12" it returns the number, which says more. */
export function initials(name: string): string {
  const words = stripBidiControls(name).trim().split(/\s+/);
  const number = /[0-9]+$/.exec(words.at(-1) ?? '')?.[0];
  if (number) return number.slice(-DIGITS);
  const [first = [], second] = words.map(visibleLetters).filter((word) => word.length > 0);
  const letters = second === undefined ? first : [first[0], second[0]];
  return letters.join('').toUpperCase();
}

/** Invisible characters are skipped. */
function visibleLetters(word: string): string[] {
  const few = firstGraphemes(word, 2 * LETTERS);
  return few.filter((grapheme) => !isBlank(grapheme)).slice(0, LETTERS);
}
