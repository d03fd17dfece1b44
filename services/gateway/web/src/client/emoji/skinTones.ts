/** Gives emoji of people a skin tone. */

/** 0 is none: the emoji's own yellow. */
export type SkinTone = 0 | 1 | 2 | 3 | 4 | 5;
export const SKIN_TONES: readonly SkinTone[] = [0, 1, 2, 3, 4, 5];

const FIRST_TONE = 0x1f3fb;
const VARIATION_SELECTOR = '\uFE0F';
const PEOPLE = new Set(['👨', '👩', '🧑']);

/** For emoji that have skin tones. Of several people, all get the same one. */
export function withTone(emoji: string, tone: SkinTone): string {
  if (tone === 0) return emoji;
  const modifier = String.fromCodePoint(FIRST_TONE + tone - 1);
  const [first = '', ...rest] = [...emoji];
  const others = rest[0] === VARIATION_SELECTOR ? rest.slice(1) : rest;
  return first + modifier + others.map((each) => (PEOPLE.has(each) ? each + modifier : each)).join('');
}
