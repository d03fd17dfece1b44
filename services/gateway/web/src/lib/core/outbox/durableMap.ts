/**
 * A map whose values outlive the page. It also holds the values in memory, so that the connection to the
 * storage may fail at any time: the map then opens a new one and writes the missing values again. `isFailing`
 * is true while nothing can be saved.
 */

import { BackOff } from '../base/backoff.ts';
import { Observable } from '../base/observable.ts';
import { Timers } from '../base/timers.ts';
import { browserStorage, type Storage, type StorageFactory } from './indexedDb.ts';

interface Wait {
  promise: Promise<void>;
  resolve: () => void;
}

export class DurableMap<T> {
  /** Whether a value that is put now would be lost with the page. */
  readonly isFailing = new Observable(false);
  #open: StorageFactory<T>;
  #idOf: (value: T) => string;
  #storage: Storage<T> | null = null;
  /** The values that have to be in the storage. */
  #held = new Map<string, T>();
  /** Ids whose state in the storage is unknown or outdated, including ids that have to be removed. */
  #dirty = new Set<string>();
  #waits = new Map<string, Wait>();
  #onFound: ((values: T[]) => void) | null = null;
  #pendingFlush: Promise<void> | null = null;
  #timers = new Timers<'again'>();
  #backOff = new BackOff();
  #isStopped = false;

  constructor(idOf: (value: T) => string, open: StorageFactory<T>) {
    this.#idOf = idOf;
    this.#open = open;
  }

  /**
   * Passes the values of earlier pages to `found`, now or as soon as they can be read. Resolves after the
   * first try.
   */
  load(found: (values: T[]) => void): Promise<void> {
    this.#onFound = found;
    return this.flush();
  }

  /** Resolves when the value outlives the page, or when it is no longer needed. It never rejects. */
  put(value: T): Promise<void> {
    const id = this.#idOf(value);
    this.#held.set(id, value);
    this.#dirty.add(id);
    void this.flush();
    return this.#waitFor(id).promise;
  }

  remove(id: string): void {
    this.#drop(id);
    this.#dirty.add(id);
    void this.flush();
  }

  /**
   * Another tab has written the value. If the id is held here too, this tab holds the new value, which it
   * writes again if the storage is emptied.
   */
  writtenElsewhere(value: T): void {
    const id = this.#idOf(value);
    if (this.#held.has(id)) this.#held.set(id, value);
  }

  /** Another tab has removed the value. */
  removedElsewhere(id: string): void {
    this.#drop(id);
  }

  #drop(id: string): void {
    this.#held.delete(id);
    this.#dirty.delete(id);
    this.#settle(id);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timers.stopAll();
    // A write that is under way may finish first.
    void Promise.resolve(this.#pendingFlush).finally(() => this.#storage?.close());
  }

  /** Writes what is not written yet. If the open connection fails, it tries once more with a new one. */
  flush(): Promise<void> {
    if (this.#isStopped) return Promise.resolve();
    this.#pendingFlush ??= this.#synchronise().finally(() => {
      this.#pendingFlush = null;
      if (this.#isUnfinished && !this.#timers.has('again') && !this.#isStopped) void this.flush();
    });
    return this.#pendingFlush;
  }

  get #isUnfinished(): boolean {
    return this.#dirty.size > 0 || this.#onFound !== null;
  }

  async #synchronise(): Promise<void> {
    this.#timers.stop('again');
    const mayBeStale = this.#storage !== null;
    const isDone = (await this.#try()) || (mayBeStale && (await this.#try()));
    if (this.#isStopped) return;
    this.isFailing.set(!isDone);
    if (isDone) this.#backOff.reset();
    else this.#timers.start('again', this.#backOff.next(), () => void this.flush());
  }

  async #try(): Promise<boolean> {
    try {
      this.#storage ??= await this.#open(() => this.#closedByBrowser());
      await this.#write(this.#storage);
      await this.#read(this.#storage);
      return true;
    } catch {
      this.#storage?.close();
      this.#storage = null;
      return false;
    }
  }

  async #write(storage: Storage<T>): Promise<void> {
    const ids = [...this.#dirty];
    if (ids.length === 0) return;
    const changes = ids.map((id) => ({ id, value: this.#held.get(id) }));
    await storage.write(changes);
    // The connection was closed during the write. The storage may have been emptied after it.
    if (storage !== this.#storage) throw new Error('The storage was closed');
    for (const { id, value } of changes) if (this.#held.get(id) === value) this.#written(id);
  }

  async #read(storage: Storage<T>): Promise<void> {
    if (!this.#onFound) return;
    const all = await storage.all();
    const found = this.#onFound;
    this.#onFound = null;
    const isNew = (id: string) => !this.#held.has(id) && !this.#dirty.has(id);
    const left = all.filter((value) => isNew(this.#idOf(value)));
    for (const value of left) this.#held.set(this.#idOf(value), value);
    found(left);
  }

  /** The browser closed the storage and may have emptied it. So all held values are written again. */
  #closedByBrowser(): void {
    this.#storage = null;
    if (this.#isStopped) return;
    for (const id of this.#held.keys()) this.#dirty.add(id);
    void this.flush();
  }

  #written(id: string): void {
    this.#dirty.delete(id);
    this.#settle(id);
  }

  #waitFor(id: string): Wait {
    const known = this.#waits.get(id);
    if (known) return known;
    let resolve = () => {};
    const promise = new Promise<void>((done) => {
      resolve = done;
    });
    const wait = { promise, resolve };
    this.#waits.set(id, wait);
    return wait;
  }

  #settle(id: string): void {
    this.#waits.get(id)?.resolve();
    this.#waits.delete(id);
  }
}

/** Opens a map that is saved in this browser under `name`. */
export function openDurableMap<T extends object>(name: string, key: keyof T & string): DurableMap<T> {
  return new DurableMap<T>((value) => String(value[key]), browserStorage<T>(name, key));
}
