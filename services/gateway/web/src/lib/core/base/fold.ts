/**
 * Folds text for searching: texts that read the same to the user have the same folded form. It applies NFKC
 * and full case folding, both without a locale, and removes invisible characters (the Unicode standard's
 * NFKC_Casefold). In addition, the four Turkish letters i count as one letter, so that everyone finds what
 * anyone wrote. The cases are in `shared/vectors/fold.json`.
 *
 * Use folded text only to compare. Store and show the original text.
 */

const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;
const DOTTED_I = /i\u0307/g;
// JavaScript writes the last sigma of a word differently from Unicode's case folding.
const FINAL_SIGMA = /ς/g;
const IS_ASCII = /^[\0-\x7f]*$/;

export function fold(text: string): string {
  if (IS_ASCII.test(text)) return text.toLowerCase();
  return caseless(text.normalize('NFKC')).replace(INVISIBLE, '').normalize('NFKC');
}

/**
 * JavaScript has no case folding. Converting to lower, upper and lower case again also covers letters that
 * one conversion misses, such as ß and ẞ.
 */
function caseless(text: string): string {
  const folded = text.toLowerCase().toUpperCase().toLowerCase();
  return folded.replace(FINAL_SIGMA, 'σ').replace(DOTTED_I, 'i');
}
