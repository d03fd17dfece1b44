/** Makes ids that sort in the order in which they were made in this browser, whatever its clock does. */

/** Ticks per millisecond. */
const TICKS_PER_MS = 1024;
let lastTick = 0;

/**
 * Returns the current time in ticks of 1/1024 ms. It is always greater than the previous result, so that ids
 * sort.
 */
function nextTick(): number {
  lastTick = Math.max(lastTick + 1, Date.now() * TICKS_PER_MS);
  return lastTick;
}

/** Makes all later ids sort after `id`, even if the clock was set back since `id` was made. */
export function advancePast(id: string): void {
  const millis = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
  const part = Number.parseInt(id.slice(15, 18), 16);
  if (Number.isSafeInteger(millis) && Number.isSafeInteger(part))
    lastTick = Math.max(lastTick, millis * TICKS_PER_MS + part);
}

/** Returns a UUID of version 7. `crypto.randomUUID` works only on secure pages, and its ids have no order. */
export function newId(): string {
  const tick = nextTick();
  const millis = Math.floor(tick / TICKS_PER_MS)
    .toString(16)
    .padStart(12, '0');
  const part = (tick % TICKS_PER_MS).toString(16).padStart(3, '0');
  const random = [...crypto.getRandomValues(new Uint8Array(8))].map((byte) =>
    byte.toString(16).padStart(2, '0'),
  );
  random[0] = (0x80 | (Number.parseInt(random[0] ?? '0', 16) & 0x3f)).toString(16);
  const tail = random.join('');
  return `${millis.slice(0, 8)}-${millis.slice(8)}-7${part}-${tail.slice(0, 4)}-${tail.slice(4)}`;
}
