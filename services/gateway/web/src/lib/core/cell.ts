/** Owns values that can be watched: whoever reads gets the newest, whoever listens is told soon after. */

export interface Readable<T> {
  get(): T;
  subscribe(listener: () => void): () => void;
}

/** How often listeners are told at most: a burst of frames is one look at the result. */
const CALM_MS = 16;

/** Gathers what changed and tells it once: at once after a quiet time, else when the present one is over. */
class Teller {
  #changed = new Set<Watched>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #told = 0;

  mark(watched: Watched): void {
    this.#changed.add(watched);
    if (this.#timer !== null) return;
    const wait = Math.min(CALM_MS, Math.max(0, this.#told + CALM_MS - Date.now()));
    this.#timer = setTimeout(() => this.tell(), wait);
  }

  tell(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#told = Date.now();
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const watched of changed) watched.tell();
  }
}

const teller = new Teller();

/** Tells now what changed: for what a person has just done, which should not wait for the next look. */
export function tellNow(): void {
  teller.tell();
}

/** Whoever listens for what is drawn: told soon after, once for many changes. */
class Watched {
  #listeners = new Set<() => void>();

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

export class Cell<T> extends Watched implements Readable<T> {
  #value: T;
  #watchers = new Set<(value: T) => void>();

  constructor(value: T) {
    super();
    this.#value = value;
  }

  get = (): T => this.#value;

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const watcher of [...this.#watchers]) watcher(value);
    teller.mark(this);
  }

  update(change: (value: T) => T): void {
    this.set(change(this.#value));
  }

  /** For what acts: told of every change at once. */
  watch(watcher: (value: T) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}

/** Calls `then` at once whenever one of these changes, until the returned function is called. */
export function watchAll(sources: { watch(then: () => void): () => void }[], then: () => void): () => void {
  const offs = sources.map((source) => source.watch(then));
  return () => {
    for (const off of offs) off();
  };
}

/** A value that is worked out from others, once after they changed and only if somebody asks. */
export class Derived<T> extends Watched implements Readable<T> {
  #work: () => T;
  #value: T | undefined;
  #isStale = true;

  constructor(work: () => T) {
    super();
    this.#work = work;
  }

  get = (): T => {
    if (this.#isStale) this.#value = this.#work();
    this.#isStale = false;
    return this.#value as T;
  };

  stale(): void {
    this.#isStale = true;
    teller.mark(this);
  }
}

/** Listeners for things that happen, as opposed to values that are. */
export class Happening<T> {
  #listeners = new Set<(what: T) => void>();

  on = (listener: (what: T) => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  tell(what: T): void {
    for (const listener of [...this.#listeners]) listener(what);
  }
}
