/** All emoji of the picker, with their names. It is loaded with the picker only. */

import type { Language } from '../i18n/language.tsx';
import * as columns from './emoji.gen.ts';

export interface Emoji {
  /** The emoji itself, without a skin tone. */
  emoji: string;
  group: EmojiGroup;
  hasTones: boolean;
  names: Record<Language, string>;
  /** Everything that a search finds it by. */
  words: string;
}

/** In the order of emojibase's numbers. Its group 2 has skin tones and hair by themselves, which nobody picks. */
const GROUPS = {
  0: 'smileys',
  1: 'people',
  3: 'nature',
  4: 'food',
  5: 'travel',
  6: 'activities',
  7: 'objects',
  8: 'symbols',
  9: 'flags',
} as const;

export type EmojiGroup = (typeof GROUPS)[keyof typeof GROUPS];
export const EMOJI_GROUPS: readonly EmojiGroup[] = Object.values(GROUPS);

export const EMOJI: readonly Emoji[] = parse();
const byEmoji = new Map(EMOJI.map((each) => [each.emoji, each]));

export const findEmoji = (emoji: string): Emoji | undefined => byEmoji.get(emoji);

function parse(): Emoji[] {
  const [group, tones, en, enWords, ko, koWords] = [
    columns.group,
    columns.tones,
    columns.en,
    columns.enWords,
    columns.ko,
    columns.koWords,
  ].map((column) => column.split('\n'));
  const at = (column: string[] | undefined, index: number) => column?.[index] ?? '';
  return columns.emoji.split('\n').map((emoji, index) => ({
    emoji,
    group: GROUPS[Number(at(group, index)) as keyof typeof GROUPS],
    hasTones: at(tones, index) !== '',
    names: { en: at(en, index), ko: at(ko, index) },
    words: [en, enWords, ko, koWords].map((column) => at(column, index)).join(' '),
  }));
}
