/**
 * Holds an object's timers by name. There is at most one timer of each name, and the owner can stop all of
 * them when it ends.
 */

/** With a longer delay, a browser's timer fires at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

export class Timers<Name extends string> {
  #running = new Map<Name, ReturnType<typeof setTimeout>>();

  start(name: Name, afterMs: number, action: () => void): void {
    this.stop(name);
    const timer = setTimeout(
      () => {
        this.#running.delete(name);
        action();
      },
      Math.min(Math.max(0, afterMs), MAX_DELAY_MS),
    );
    this.#running.set(name, timer);
  }

  has(name: Name): boolean {
    return this.#running.has(name);
  }

  stop(name: Name): void {
    clearTimeout(this.#running.get(name));
    this.#running.delete(name);
  }

  stopAll(): void {
    for (const timer of this.#running.values()) clearTimeout(timer);
    this.#running.clear();
  }
}
