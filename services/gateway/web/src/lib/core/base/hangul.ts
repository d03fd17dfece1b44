/** Takes Korean text apart: syllables into the keys with which they are typed, and into initial consonants. */

import { fold } from './fold.ts';

const INITIALS = [...'ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ'];
const VOWELS = 'ㅏ ㅐ ㅑ ㅒ ㅓ ㅔ ㅕ ㅖ ㅗ ㅗㅏ ㅗㅐ ㅗㅣ ㅛ ㅜ ㅜㅓ ㅜㅔ ㅜㅣ ㅠ ㅡ ㅡㅣ ㅣ'.split(' ');
const FINALS =
  'ㄱ ㄲ ㄱㅅ ㄴ ㄴㅈ ㄴㅎ ㄷ ㄹ ㄹㄱ ㄹㅁ ㄹㅂ ㄹㅅ ㄹㅌ ㄹㅍ ㄹㅎ ㅁ ㅂ ㅂㅅ ㅅ ㅆ ㅇ ㅈ ㅊ ㅋ ㅌ ㅍ ㅎ'.split(
    ' ',
  );
const FIRST_INITIAL = 0x1100;
const FIRST_VOWEL = 0x1161;
const FIRST_FINAL = 0x11a8;
const FIRST_SYLLABLE = 0xac00;
const SYLLABLES_PER_INITIAL = VOWELS.length * (FINALS.length + 1);

/** By conjoining jamo: the keys with which it is typed. */
const KEYS = new Map<string, string>();
for (const [first, all] of [
  [FIRST_INITIAL, INITIALS],
  [FIRST_VOWEL, VOWELS],
  [FIRST_FINAL, FINALS],
] as const)
  all.forEach((keys, index) => {
    KEYS.set(String.fromCharCode(first + index), keys);
  });

/** Two initial consonants, as an input method shows them while nothing follows. */
const PAIRS = 'ㄳ ㄵ ㄶ ㄺ ㄻ ㄼ ㄽ ㄾ ㄿ ㅀ ㅄ'.split(' ');
const PAIR_KEYS = FINALS.filter((keys) => keys.length > 1);

/** Writes pairs of consonants as two: who types the initials of 감사 gets ㄳ. */
export function splitPairs(text: string): string {
  return text.replace(/[ㄳㄵㄶㄺ-ㅀㅄ]/g, (pair) => PAIR_KEYS[PAIRS.indexOf(pair)] ?? pair);
}

/** The keys of each character of a text, folded. */
export function keysOf(text: string): string[] {
  return [...fold(splitPairs(text))].map((each) =>
    [...each.normalize('NFD')].map((jamo) => KEYS.get(jamo) ?? jamo).join(''),
  );
}

/** Whether these keys are initial consonants only. */
export const areInitials = (keys: string): boolean => [...keys].every((key) => INITIALS.includes(key));

/** Whether a character of a folded text is an initial consonant. */
export function isInitial(character: string): boolean {
  const index = character.charCodeAt(0) - FIRST_INITIAL;
  return index >= 0 && index < INITIALS.length;
}

/** The initial consonant of a syllable, as folded texts have it. Another character stays as it is. */
export function initialOf(character: string): string {
  const index = syllableIndex(character);
  if (index < 0) return character;
  return String.fromCharCode(FIRST_INITIAL + Math.floor(index / SYLLABLES_PER_INITIAL));
}

/**
 * Writes a text that ends with a syllable as if that were unfinished: with the last consonant by itself, which may
 * begin the next syllable. 횡 becomes 회ㅇ, and 회으 becomes 회ㅇ. Null if the text ends with no syllable.
 */
export function withOpenSyllable(text: string): string | null {
  const composed = text.normalize('NFC');
  const last = composed.at(-1) ?? '';
  if (syllableIndex(last) < 0) return null;
  const before = composed.slice(0, -1);
  const [initial = '', vowel = '', final] = last.normalize('NFD');
  if (final === undefined) return before + KEYS.get(initial);
  const keys = KEYS.get(final) ?? '';
  const kept = FINALS.indexOf(keys.slice(0, -1));
  const rest = kept < 0 ? '' : String.fromCharCode(FIRST_FINAL + kept);
  return before + (initial + vowel + rest).normalize('NFC') + keys.slice(-1);
}

/** -1 for other characters. */
function syllableIndex(character: string): number {
  const index = character.charCodeAt(0) - FIRST_SYLLABLE;
  return index >= 0 && index < INITIALS.length * SYLLABLES_PER_INITIAL ? index : -1;
}
