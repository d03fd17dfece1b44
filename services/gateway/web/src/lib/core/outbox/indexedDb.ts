/**
 * Reads and writes IndexedDB. Every step has a deadline, since a browser may never answer: another tab may
 * block an upgrade, or the page may have come back from the background.
 */

import { type IDBPDatabase, openDB } from 'idb';
import { withDeadline } from '../base/deadline.ts';

export interface Change<T> {
  id: string;
  /** `undefined` removes the value. */
  value: T | undefined;
}

export interface Storage<T> {
  /** In the order of their ids. */
  all(): Promise<T[]>;
  /** Resolves when all changes are on the disk. Rejects when it is possible that none are. */
  write(changes: Change<T>[]): Promise<void>;
  close(): void;
}

/** `lost` is called when the browser or another page ends the connection. */
export type StorageFactory<T> = (lost: () => void) => Promise<Storage<T>>;

const STORE = 'outbox';
const TIMEOUT_MS = 3_000;
const timeoutError = () => new Error('The storage did not answer');

class IndexedDbStorage<T> implements Storage<T> {
  #database: IDBPDatabase;

  constructor(database: IDBPDatabase) {
    this.#database = database;
  }

  all(): Promise<T[]> {
    return withDeadline(this.#database.getAll(STORE), TIMEOUT_MS, timeoutError);
  }

  // `strict` means that this resolves only when the data is on the disk, because the text box is emptied
  // then.
  async write(changes: Change<T>[]): Promise<void> {
    const transaction = this.#database.transaction(STORE, 'readwrite', { durability: 'strict' });
    const { store } = transaction;
    const requests = changes.map(({ id, value }) =>
      value === undefined ? store.delete(id) : store.put(value),
    );
    await withDeadline(Promise.all([...requests, transaction.done]), TIMEOUT_MS, timeoutError);
  }

  close(): void {
    this.#database.close();
  }
}

/**
 * Opens the database in its current version. If the object store is missing, it upgrades the database and
 * adds it.
 */
async function open(name: string, keyPath: string, lost: () => void): Promise<IDBPDatabase> {
  const make = (database: IDBPDatabase) => {
    if (!database.objectStoreNames.contains(STORE)) database.createObjectStore(STORE, { keyPath });
  };
  const connect = (version: number | undefined) =>
    openDB(name, version, {
      upgrade: make,
      // Another page needs the database closed. It is opened again afterwards.
      blocking: (_, __, event) => {
        (event.target as IDBDatabase).close();
        lost();
      },
      terminated: lost,
    });
  const found = await connect(undefined);
  if (found.objectStoreNames.contains(STORE)) return found;
  found.close();
  return connect(found.version + 1);
}

export function browserStorage<T>(name: string, keyPath: keyof T & string): StorageFactory<T> {
  return async (lost) => {
    let isLate = false;
    const opening = open(name, keyPath, lost).then((database) => {
      // Nobody waits for this connection any more, and an open connection would block other pages.
      if (isLate) database.close();
      return new IndexedDbStorage<T>(database);
    });
    return withDeadline(opening, TIMEOUT_MS, () => {
      isLate = true;
      return timeoutError();
    });
  };
}
