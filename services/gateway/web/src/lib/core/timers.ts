/** Owns an object's timers by name: one of each at most, and none left over when it ends. */

/** Above this a browser's timer runs out at once. */
const LONGEST_MS = 2 ** 31 - 1;

export class Timers<Name extends string> {
  #running = new Map<Name, ReturnType<typeof setTimeout>>();

  start(name: Name, afterMs: number, action: () => void): void {
    this.stop(name);
    const timer = setTimeout(
      () => {
        this.#running.delete(name);
        action();
      },
      Math.min(Math.max(0, afterMs), LONGEST_MS),
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
