/** Prepares text for comparing, joining and cutting, by the same rules as the web client. */

const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;
const BIDI_CONTROLS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** NFKC_Casefold, with all forms of the letter i made equal; `shared/vectors/fold.json` has the cases. */
export function fold(text) {
  const caseless = text.normalize('NFKC').toLowerCase().toUpperCase().toLowerCase();
  const folded = caseless.replace(/ς/g, 'σ').replace(/i\u0307/g, 'i');
  return folded.replace(INVISIBLE, '').normalize('NFKC');
}

/** Without bidi controls, which would reorder the text around it. */
export const stripBidiControls = (text) => text.replace(BIDI_CONTROLS, '');

/** Writes bidi controls in JSON as escapes, so that they don't reorder a frame in the log. */
export const escapeBidiControls = (json) =>
  json.replace(BIDI_CONTROLS, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** The beginning of a text, of at most `most` code units; never ends within a grapheme. */
export function truncate(text, maxLength) {
  if (text.length <= maxLength) return text;
  const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  return text.slice(0, graphemes.segment(text.slice(0, maxLength + 2)).containing(maxLength).index);
}
