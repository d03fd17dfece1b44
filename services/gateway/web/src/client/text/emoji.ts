/** Recognises messages that consist of a few emoji. They are drawn large. */

import { firstGraphemes } from './graphemes.ts';

const MAX_EMOJI = 6;
/** A family emoji with skin tones has about thirty units. */
const MAX_UNITS = 200;

const WHOLE_EMOJI = '^\\p{RGI_Emoji}$';
const EMOJI = makePattern();

/** Older browsers have no list of whole emoji. There any grapheme that begins as an emoji counts. */
function makePattern(): RegExp {
  try {
    return new RegExp(WHOLE_EMOJI, 'v');
  } catch {
    return /^(?:\p{Emoji_Presentation}|\p{Emoji}\ufe0f|\p{Regional_Indicator}{2})/u;
  }
}

export function isEmojiOnly(text: string): boolean {
  const bare = text.replace(/\s/g, '');
  if (bare === '' || bare.length > MAX_UNITS) return false;
  const graphemes = firstGraphemes(bare, MAX_EMOJI + 1);
  return graphemes.length <= MAX_EMOJI && graphemes.every((grapheme) => EMOJI.test(grapheme));
}
