/** Truncates text only between two graphemes, which readers see as separate characters. */

// Older browsers have no segmenter. There a text is at least never cut inside a surrogate pair.
const graphemes = Intl.Segmenter ? new Intl.Segmenter(undefined, { granularity: 'grapheme' }) : null;

/** The longest family emoji has about thirty units. A longer grapheme is a letter with a heap of accents. */
const MAX_UNITS = 40;

/** Truncates a text to at most this many UTF-16 units. */
export function truncate(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  return text.slice(0, graphemeStart(text, maxLength));
}

/** Returns the start of the letter that this unit belongs to. */
export function graphemeStart(text: string, unit: number): number {
  return graphemeAt(text, unit) || surrogatePairAt(text, unit);
}

/** Returns the first graphemes. For a letter with a heap of accents, it returns only the letter. */
export function firstGraphemes(text: string, count: number): string[] {
  const found: string[] = [];
  for (const each of graphemes?.segment(text) ?? text) {
    if (found.length === count) break;
    const grapheme = typeof each === 'string' ? each : each.segment;
    found.push(grapheme.length > MAX_UNITS ? String.fromCodePoint(grapheme.codePointAt(0) ?? 0) : grapheme);
  }
  return found;
}

/**
 * Returns the start of the grapheme that contains this unit. Text after it does not matter and may be long,
 * so it is cut off first.
 */
function graphemeAt(text: string, unit: number): number {
  return graphemes?.segment(text.slice(0, unit + 2)).containing(unit)?.index ?? 0;
}

function surrogatePairAt(text: string, unit: number): number {
  const isInside = /^[\ud800-\udbff][\udc00-\udfff]/.test(text.slice(unit - 1, unit + 1));
  return isInside ? unit - 1 : unit;
}
