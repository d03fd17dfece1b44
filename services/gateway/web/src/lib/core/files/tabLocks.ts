/** Locks that say which tab has an upload in hand. They end with the tab. */

/** A page that was just left may still hold its locks for a moment. */
const WAIT_MS = 3_000;

/** Resolves to a function that ends the lock, or to null if another tab holds it. */
export type TakeLock = (name: string) => Promise<(() => void) | null>;

/** Without locks of the browser, every tab counts as the only one. */
export const takeTabLock: TakeLock = (name) => {
  const { locks } = globalThis.navigator ?? {};
  if (!locks) return Promise.resolve(() => undefined);
  return new Promise((resolve) => {
    const hold = () => new Promise<void>((release) => resolve(release));
    const signal = AbortSignal.timeout(WAIT_MS);
    // A browser may also refuse locks at all.
    locks.request(name, { signal }, hold).catch(() => resolve(signal.aborted ? null : () => undefined));
  });
};
