/** Owns where things are kept that have to outlive a page: IndexedDB, or memory where a browser gives none. */

import { type IDBPDatabase, openDB } from 'idb';

/** Values by id, given back in the order of their ids. */
export interface Keep<T> {
  all(): Promise<T[]>;
  /** Resolves when it is kept. Never rejects: what can't be kept still lives as long as the page. */
  put(value: T): Promise<void>;
  remove(id: string): Promise<void>;
}

export class MemoryKeep<T> implements Keep<T> {
  #values = new Map<string, T>();
  #idOf: (value: T) => string;

  constructor(idOf: (value: T) => string) {
    this.#idOf = idOf;
  }

  async all(): Promise<T[]> {
    return [...this.#values].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
  }

  async put(value: T): Promise<void> {
    this.#values.set(this.#idOf(value), value);
  }

  async remove(id: string): Promise<void> {
    this.#values.delete(id);
  }
}

const STORE = 'outbox';

/** Null where there is none, as in some private windows. */
async function open(name: string, keyPath: string): Promise<IDBPDatabase | null> {
  try {
    const upgrade = (database: IDBPDatabase) => void database.createObjectStore(STORE, { keyPath });
    return await openDB(name, 1, { upgrade });
  } catch {
    return null;
  }
}

export class BrowserKeep<T> implements Keep<T> {
  #database: Promise<IDBPDatabase | null>;

  constructor(name: string, keyPath: string) {
    this.#database = open(name, keyPath);
  }

  async all(): Promise<T[]> {
    return (await this.#try((database) => database.getAll(STORE))) ?? [];
  }

  async put(value: T): Promise<void> {
    // `strict`: told only when it is on the disk, since the text box is emptied then.
    await this.#try(async (database) => {
      const transaction = database.transaction(STORE, 'readwrite', { durability: 'strict' });
      await Promise.all([transaction.store.put(value), transaction.done]);
    });
  }

  async remove(id: string): Promise<void> {
    await this.#try((database) => database.delete(STORE, id));
  }

  async #try<R>(work: (database: IDBPDatabase) => Promise<R>): Promise<R | undefined> {
    const database = await this.#database;
    return database ? work(database).catch(() => undefined) : undefined;
  }
}

export function openKeep<T extends object>(name: string, key: keyof T & string): Keep<T> {
  const has = globalThis.indexedDB !== undefined;
  return has ? new BrowserKeep<T>(name, key) : new MemoryKeep<T>((value) => String(value[key]));
}
