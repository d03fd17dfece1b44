/** Owns how long to wait before the next try: full jitter, so that a crowd that fell together comes back spread. */

const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;
/** A server that closes at once is not to be hammered, even by the lucky. */
const SHORTEST_MS = 100;

export function backOff(attempt: number, atLeastMs = 0): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return Math.max(atLeastMs, SHORTEST_MS, Math.random() * ceiling);
}
