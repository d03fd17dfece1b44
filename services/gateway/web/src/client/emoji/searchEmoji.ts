/**
 * Finds emoji by their English and Korean names and search words. A Korean query is compared letter by letter, so
 * that the syllable that is being composed finds something too: `핱` is on the way to `하트`.
 */

import { fold } from '@messenger/react';
import { EMOJI, type Emoji } from './emojiList.ts';

const MAX_FOUND = 160;

/** The letters with which a syllable ends, as the letters with which the next one would begin. From U+11A8. */
const FINALS =
  'ᄀ ᄁ ᄀᄉ ᄂ ᄂᄌ ᄂᄒ ᄃ ᄅ ᄅᄀ ᄅᄆ ᄅᄇ ᄅᄉ ᄅᄐ ᄅᄑ ᄅᄒ ᄆ ᄇ ᄇᄉ ᄉ ᄊ ᄋ ᄌ ᄎ ᄏ ᄐ ᄑ ᄒ'.split(
    ' ',
  );
const FINAL = /[\u11A8-\u11C2]/g;

/** Writes folded text with each Hangul letter by itself. */
export function spellOut(text: string): string {
  const letters = fold(text).normalize('NFD');
  return letters.replace(FINAL, (letter) => FINALS[letter.charCodeAt(0) - 0x11a8] ?? letter);
}

let spelled: readonly { emoji: Emoji; words: string; names: string[] }[] | null = null;

/** Returns those that match every word of the query, first those with a name that begins with it. */
export function searchEmoji(query: string): readonly Emoji[] {
  spelled ??= EMOJI.map((emoji) => ({
    emoji,
    words: spellOut(emoji.words),
    names: Object.values(emoji.names).map(spellOut),
  }));
  const wanted = spellOut(query).split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return [];
  const found = spelled.filter(({ words }) => wanted.every((word) => words.includes(word)));
  const begins = ({ names }: (typeof found)[number]) =>
    names.some((name) => name.startsWith(wanted.join(' ')));
  const sorted = [...found.filter(begins), ...found.filter((each) => !begins(each))];
  return sorted.slice(0, MAX_FOUND).map(({ emoji }) => emoji);
}
