/**
 * Decides where `*`, `_` and `~~` may begin and end formatting. These are CommonMark's rules, with three
 * changes for chat: Hangul and other scripts without spaces may follow punctuation directly, as particles do
 * in **"강조"**를; a single `*` inside a Latin word or number is no mark, as in 5*3*2; and `~~` is a mark.
 */

import { attention as commonMark } from 'micromark-core-commonmark';
import type { Code, Construct, Effects, State, TokenizeContext } from 'micromark-util-types';

const ASTERISK = 42;
const UNDERSCORE = 95;
const TILDE = 126;
const MARKERS = [ASTERISK, UNDERSCORE, TILDE];

/** `word` is CommonMark's "other": letters, digits, and halves of surrogate pairs. */
type Neighbour = 'space' | 'punctuation' | 'latin' | 'unspaced' | 'word';

const UNSPACED = /[\p{scx=Hangul}\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}]/u;
const PUNCTUATION = /[\p{P}\p{S}]/u;

function neighbourOf(code: Code): Neighbour {
  // Negative codes are line endings and tabs.
  if (code === null || code < 0) return 'space';
  const sign = String.fromCharCode(code);
  if (/\s/u.test(sign)) return 'space';
  if (/[a-z0-9]/i.test(sign)) return 'latin';
  if (UNSPACED.test(sign)) return 'unspaced';
  return PUNCTUATION.test(sign) ? 'punctuation' : 'word';
}

interface Sides {
  open: boolean;
  close: boolean;
}

function sidesOf(marker: number, length: number, before: Neighbour, after: Neighbour): Sides {
  const none = { open: false, close: false };
  if (marker === TILDE && length !== 2) return none;
  if (marker === ASTERISK && length === 1 && before === 'latin' && after === 'latin') return none;
  const isEdge = (side: Neighbour) => side !== 'word' && side !== 'latin';
  const open = after !== 'space' && (after !== 'punctuation' || isEdge(before));
  const close = before !== 'space' && (before !== 'punctuation' || isEdge(after));
  if (marker !== UNDERSCORE) return { open, close };
  return {
    open: open && (!close || before === 'punctuation'),
    close: close && (!open || after === 'punctuation'),
  };
}

function tokenize(this: TokenizeContext, effects: Effects, ok: State): State {
  const before = neighbourOf(this.previous);
  let marker: number;
  let length = 0;
  const inside: State = (code) => {
    if (code === marker) {
      length += 1;
      effects.consume(code);
      return inside;
    }
    const token = effects.exit('attentionSequence');
    const { open, close } = sidesOf(marker, length, before, neighbourOf(code));
    token._open = open;
    token._close = close;
    return ok(code);
  };
  return (code) => {
    marker = code as number;
    effects.enter('attentionSequence');
    return inside(code);
  };
}

const attention: Construct = { ...commonMark, tokenize };

export const attentionOfChat = { text: Object.fromEntries(MARKERS.map((marker) => [marker, attention])) };
