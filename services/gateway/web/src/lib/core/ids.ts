/** Owns ids that sort in the order in which they were made, in one browser, whatever its clock does. */

/** Moments in a millisecond. */
const STEPS = 1024;
let last = 0;

/** The next moment in 1/1024 ms, always after the one before: by it, ids sort. */
function nextTick(): number {
  last = Math.max(last + 1, Date.now() * STEPS);
  return last;
}

/** Ids made from now on sort after `id`, also if the clock was set back since that was made. */
export function after(id: string): void {
  const millis = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
  const part = Number.parseInt(id.slice(15, 18), 16);
  if (Number.isSafeInteger(millis) && Number.isSafeInteger(part))
    last = Math.max(last, millis * STEPS + part);
}

/** A UUID of version 7. `crypto.randomUUID` needs a secure page, and gives no order. */
export function newId(): string {
  const tick = nextTick();
  const millis = Math.floor(tick / STEPS)
    .toString(16)
    .padStart(12, '0');
  const part = (tick % STEPS).toString(16).padStart(3, '0');
  const random = [...crypto.getRandomValues(new Uint8Array(8))].map((byte) =>
    byte.toString(16).padStart(2, '0'),
  );
  random[0] = (0x80 | (Number.parseInt(random[0] ?? '0', 16) & 0x3f)).toString(16);
  const tail = random.join('');
  return `${millis.slice(0, 8)}-${millis.slice(8)}-7${part}-${tail.slice(0, 4)}-${tail.slice(4)}`;
}
