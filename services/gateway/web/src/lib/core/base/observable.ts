/**
 * Values and events that can be observed. A reader always gets the newest value. Watchers are called at once,
 * and listeners shortly after, once for many changes.
 */

import { monotonic } from './clock.ts';

export interface Readable<T> {
  get(): T;
  subscribe(listener: () => void): () => void;
}

/** Listeners are called at most this often, so that a burst of frames causes one redraw. */
const BATCH_MS = 16;

/**
 * Collects changed values and calls their listeners together. After a quiet time it calls them at once,
 * otherwise at the end of the current interval.
 */
class ListenerBatch {
  #changed = new Set<Subscribable>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #flushedAt = Number.NEGATIVE_INFINITY;

  mark(watched: Subscribable): void {
    this.#changed.add(watched);
    if (this.#timer !== null) return;
    const wait = Math.min(BATCH_MS, Math.max(0, this.#flushedAt + BATCH_MS - monotonic()));
    this.#timer = setTimeout(() => this.flush(), wait);
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#flushedAt = monotonic();
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const watched of changed) watched.callListeners();
  }
}

const batch = new ListenerBatch();

/**
 * Calls the waiting listeners now. Use it after something the user just did, which must be visible without
 * delay.
 */
export function flushListeners(): void {
  batch.flush();
}

/**
 * The listeners of one value. They are for drawing: they are called shortly after a change, once for many
 * changes.
 */
class Subscribable {
  #listeners = new Set<() => void>();

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  get hasListeners(): boolean {
    return this.#listeners.size > 0;
  }

  callListeners(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

export class Observable<T> extends Subscribable implements Readable<T> {
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
    batch.mark(this);
  }

  update(change: (value: T) => T): void {
    this.set(change(this.#value));
  }

  /**
   * Calls `watcher` synchronously on every change. It is for code that acts on the value, not for drawing.
   */
  watch(watcher: (value: T) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}

/** Calls `then` synchronously when any of the sources changes. Returns a function that ends this. */
export function watchAll(sources: { watch(then: () => void): () => void }[], then: () => void): () => void {
  const offs = sources.map((source) => source.watch(then));
  return () => {
    for (const off of offs) off();
  };
}

/** Reads several values as one list, which is a new one only when one of them has changed. */
export function combine<T>(sources: readonly Observable<T>[]): Readable<readonly T[]> {
  let last: readonly T[] = [];
  const get = () => {
    const now = sources.map((source) => source.get());
    const isSame = now.length === last.length && now.every((value, at) => Object.is(value, last[at]));
    if (!isSame) last = now;
    return last;
  };
  const subscribe = (listener: () => void) => {
    const offs = sources.map((source) => source.subscribe(listener));
    return () => {
      for (const off of offs) off();
    };
  };
  return { get, subscribe };
}

/** A value that is computed from others. It is recomputed only when it is read after an `invalidate`. */
export class Computed<T> extends Subscribable implements Readable<T> {
  #compute: () => T;
  #value: T | undefined;
  #isStale = true;

  constructor(work: () => T) {
    super();
    this.#compute = work;
  }

  get = (): T => {
    if (this.#isStale) this.#value = this.#compute();
    this.#isStale = false;
    return this.#value as T;
  };

  invalidate(): void {
    this.#isStale = true;
    batch.mark(this);
  }
}

/** Calls its listeners when something happens. It holds no value. */
export class EventEmitter<T> {
  #listeners = new Set<(what: T) => void>();

  on = (listener: (what: T) => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  emit(event: T): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}
