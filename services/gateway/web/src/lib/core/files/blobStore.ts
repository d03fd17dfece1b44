/**
 * Keeps the bytes of uploads in IndexedDB, so that an upload outlives the page. Where the browser keeps nothing, as in
 * some private windows, the bytes live as long as the page.
 */

import { type IDBPDatabase, openDB } from 'idb';
import { withDeadline } from '../base/deadline.ts';

const STORE = 'bytes';
/** Large files take their time, and a browser may never answer. */
const TIMEOUT_MS = 120_000;
const timeoutError = () => new Error('The storage did not answer');

/** No method rejects: bytes that are not kept are only lost with the page. */
export interface BlobStore {
  put(id: string, blob: Blob): Promise<void>;
  get(id: string): Promise<Blob | null>;
  remove(id: string): Promise<void>;
  /** The ids of all kept bytes. */
  ids(): Promise<string[]>;
  close(): void;
}

export class BrowserBlobStore implements BlobStore {
  #name: string;
  #database: Promise<IDBPDatabase> | null = null;

  constructor(name: string) {
    this.#name = name;
  }

  async put(id: string, blob: Blob): Promise<void> {
    await this.#ask((database) => database.put(STORE, blob, id));
  }

  async get(id: string): Promise<Blob | null> {
    const found: unknown = await this.#ask((database) => database.get(STORE, id));
    return found instanceof Blob ? found : null;
  }

  async remove(id: string): Promise<void> {
    await this.#ask((database) => database.delete(STORE, id));
  }

  async ids(): Promise<string[]> {
    const keys = await this.#ask((database) => database.getAllKeys(STORE));
    return (keys ?? []).map(String);
  }

  close(): void {
    void this.#database?.then((database) => database.close()).catch(() => undefined);
    this.#database = null;
  }

  async #ask<T>(work: (database: IDBPDatabase) => Promise<T>): Promise<T | null> {
    try {
      this.#database ??= this.#open();
      return await withDeadline(this.#database.then(work), TIMEOUT_MS, timeoutError);
    } catch {
      // The next request tries a new connection.
      this.#database = null;
      return null;
    }
  }

  #open(): Promise<IDBPDatabase> {
    const lost = () => {
      this.#database = null;
    };
    return openDB(this.#name, 1, {
      upgrade: (database) => void database.createObjectStore(STORE),
      blocking: (_, __, event) => {
        (event.target as IDBDatabase).close();
        lost();
      },
      terminated: lost,
    });
  }
}
