/** Parses user ids that the user typed. */

/** Returns null if there are none, or if one of the parts is not a user id. */
export function parseUserIds(text: string): number[] | null {
  const parts = text.split(/[\s,;]+/).filter(Boolean);
  const ids = parts.map(Number);
  const isGood = ids.length > 0 && ids.every((id) => Number.isSafeInteger(id) && id > 0);
  return isGood ? [...new Set(ids)] : null;
}
