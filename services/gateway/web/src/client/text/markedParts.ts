/** Cuts a text where the marked places in it begin and end. */

/** Offset and length in UTF-16 units, in their order and without overlaps. */
export type Places = readonly (readonly number[])[];

export interface TextPart {
  start: number;
  end: number;
  isMarked: boolean;
}

export const NO_PLACES: Places = [];

/** Returns the parts of the text from `start` to `end`. */
export function markedParts(places: Places, start: number, end: number): TextPart[] {
  const parts: TextPart[] = [];
  const add = (from: number, to: number, isMarked: boolean) => {
    if (from < to) parts.push({ start: from, end: to, isMarked });
  };
  let done = start;
  for (const [offset = 0, length = 0] of places) {
    const from = Math.max(done, offset);
    const to = Math.min(end, offset + length);
    if (from >= to) continue;
    add(done, from, false);
    add(from, to, true);
    done = to;
  }
  add(done, end, false);
  return parts;
}
