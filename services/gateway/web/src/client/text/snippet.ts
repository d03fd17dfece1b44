/** Cuts a text around the first place that a search has found in it. */

import { graphemeStart, truncate } from './graphemes.ts';
import type { Places } from './markedParts.ts';

/** So much is kept before the place, and so much in all. */
const BEFORE = 24;
const LENGTH = 200;
/** The text begins with a whole word, if one begins within so many characters. */
const WORD = 12;
const ELLIPSIS = '…';

export interface Snippet {
  text: string;
  places: Places;
}

/** White space becomes plain spaces. No letter is cut apart, whatever it is made of. */
export function snippetOf(text: string, places: Places): Snippet {
  const [offset = 0, length = 0] = places[0] ?? [];
  const start = startOf(text, offset);
  const shown = truncate(text.slice(start), Math.max(LENGTH, offset + length - start));
  const before = start > 0 ? ELLIPSIS : '';
  const after = start + shown.length < text.length ? ELLIPSIS : '';
  const moved = places
    .filter(([at = 0]) => at < start + shown.length)
    .map(([at = 0, size = 0]) => [at - start + before.length, Math.min(size, start + shown.length - at)]);
  return { text: before + shown.replace(/\s/g, ' ') + after, places: moved };
}

function startOf(text: string, offset: number): number {
  if (offset <= BEFORE + WORD) return 0;
  const start = graphemeStart(text, offset - BEFORE);
  const space = text.slice(start, start + WORD).search(/\s/);
  return space < 0 ? start : start + space + 1;
}
