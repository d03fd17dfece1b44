/** Owns reading user ids that somebody typed. */

/** Null if there are none, or something that is none. */
export function userIdsIn(text: string): number[] | null {
  const parts = text.split(/[\s,;]+/).filter(Boolean);
  const ids = parts.map(Number);
  const isGood = ids.length > 0 && ids.every((id) => Number.isSafeInteger(id) && id > 0);
  return isGood ? [...new Set(ids)] : null;
}
