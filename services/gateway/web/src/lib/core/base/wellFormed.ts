/**
 * Makes text acceptable to the gateway, which refuses NUL and halves of surrogate pairs. Nobody writes those
 * on purpose.
 */

const NUL = '\u0000';
const LONE_SURROGATES = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const REPLACEMENT = '\ufffd';

/** Returns the text without NUL, and with U+FFFD in place of each half of a surrogate pair. */
export function wellFormed(text: string): string {
  return replaceLoneSurrogates(text.replaceAll(NUL, ''));
}

/** Returns JSON in which all strings are well formed, at any depth. */
export function wellFormedJson(value: unknown): string {
  return JSON.stringify(value, (_, each) => (typeof each === 'string' ? wellFormed(each) : each));
}

/** Browsers from before 2023 have no `toWellFormed`. */
function replaceLoneSurrogates(text: string): string {
  const { toWellFormed } = String.prototype as { toWellFormed?: (this: string) => string };
  return toWellFormed ? toWellFormed.call(text) : text.replace(LONE_SURROGATES, REPLACEMENT);
}
