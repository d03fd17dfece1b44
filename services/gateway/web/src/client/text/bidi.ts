/**
 * Keeps one user's text from reordering the text around it. On the screen an element with `dir`, or a `bdi`,
 * does that. This module is for plain text that joins several parts: labels, tooltips, placeholders,
 * notifications, previews.
 */

const CONTROLS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
/** Right-to-left letters. Only text with such letters can reorder the text beside it. */
const RTL_LETTERS = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
const FIRST_STRONG_ISOLATE = '\u2068';
const POP_ISOLATE = '\u2069';

/** Removes direction controls. They could make a file name seem to end in another extension. */
export function stripBidiControls(text: string): string {
  return text.replace(CONTROLS, '');
}

/** Returns the text in a form that is safe inside other text. */
export function isolateBidi(text: string): string {
  const bare = stripBidiControls(text);
  return RTL_LETTERS.test(bare) ? FIRST_STRONG_ISOLATE + bare + POP_ISOLATE : bare;
}
