/**
 * Loads the bytes of files for the page, as blob: URLs, because an `<img>` cannot send the user's token. What is not
 * shown is kept up to a bound, and then its URL is revoked.
 */

import { BackOff } from '../base/backoff.ts';
import { Observable } from '../base/observable.ts';
import { Timers } from '../base/timers.ts';
import { type Failure, MessengerError, toFailure } from '../contract/failure.ts';

export interface FileState {
  /** Null until the bytes are there. */
  url: string | null;
  isLoading: boolean;
  failure: Failure | null;
}

/** Which bytes: those of a file, or of a smaller picture of it. */
export interface FileKey {
  fileId: string;
  thumb: number | null;
  /** The size of the file in bytes. */
  size: number;
}

export type LoadBytes = (path: string, limitMs: number) => Promise<Blob>;

export const NO_BYTES: FileState = { url: null, isLoading: false, failure: null };

const MAX_BYTES = 64 * 2 ** 20;
const MAX_ENTRIES = 200;
/** Bytes that the page uploads itself are the browser's files, and take little memory. */
const MAX_LOCAL = 100;
/** Begins the ids of files that are not uploaded yet. Nobody else has their bytes. */
export const UPLOAD_PREFIX = 'upload:';
const AT_ONCE = 4;
/** After this many failures in a row the user is told. */
const MAX_TRIES = 4;
const LEAST_MS = 30_000;
/** A slower download is given up. The gateway has the same bound. */
const SLOWEST_BYTES_PER_MS = 32;
/** Anything else could run as a document of the page, if a user opened its URL. */
const SHOWN = /^(image\/(png|jpeg|gif|webp|avif)|(audio|video)\/[\w.+-]+)$/;
const UNKNOWN_TYPE = 'application/octet-stream';

interface Entry {
  fileId: string;
  state: Observable<FileState>;
  path: string;
  limitMs: number;
  bytes: number;
  users: number;
  tries: number;
  backOff: BackOff;
}

export class FileCache {
  #load: LoadBytes;
  /** The least recently used first. */
  #entries = new Map<string, Entry>();
  /** By file id: bytes that need not be loaded. */
  #local = new Map<string, Blob>();
  #queue: string[] = [];
  #running = 0;
  #timers = new Timers<string>();
  #isStopped = false;

  constructor(load: LoadBytes) {
    this.#load = load;
  }

  stop(): void {
    this.#isStopped = true;
    this.#timers.stopAll();
    for (const { state } of this.#entries.values()) revoke(state.get());
    this.#entries.clear();
    this.#local.clear();
  }

  /** The page has these bytes itself, because it uploads them. */
  hold(fileId: string, blob: Blob, mime: string): void {
    if (this.#local.has(fileId) || !SHOWN.test(mime)) return;
    this.#local.set(fileId, blob.slice(0, blob.size, mime));
    const oldest = this.#local.keys().next().value;
    if (this.#local.size > MAX_LOCAL && oldest !== undefined) this.#local.delete(oldest);
    const entry = this.#entries.get(fileId);
    if (entry && entry.users > 0 && needsBytes(entry)) this.#enqueue(entry);
  }

  of(key: FileKey): Observable<FileState> {
    return this.#entry(key).state;
  }

  /** Loads the bytes, and keeps them until the returned function is called. */
  use(key: FileKey): () => void {
    const entry = this.#entry(key);
    entry.users += 1;
    if (needsBytes(entry)) this.#enqueue(entry);
    let isUsed = true;
    return () => {
      if (!isUsed) return;
      isUsed = false;
      entry.users -= 1;
      this.#evict();
    };
  }

  retry(key: FileKey): void {
    const entry = this.#entry(key);
    if (!entry.state.get().failure) return;
    entry.tries = 0;
    entry.backOff.reset();
    entry.state.set(NO_BYTES);
    this.#enqueue(entry);
  }

  /** The connection is back: what is shown and failed meanwhile is tried again. */
  hurry(): void {
    for (const entry of this.#entries.values()) {
      const { failure, url } = entry.state.get();
      if (entry.users === 0 || url || (failure && !failure.retryable)) continue;
      if (failure) entry.state.set(NO_BYTES);
      if (failure || this.#timers.has(entry.path)) this.#enqueue(entry);
    }
  }

  #entry({ fileId, thumb, size }: FileKey): Entry {
    const id = thumb === null ? fileId : `${fileId}/thumb/${thumb}`;
    const entry = this.#entries.get(id) ?? {
      fileId,
      state: new Observable(NO_BYTES),
      path: `/files/${id}`,
      limitMs: LEAST_MS + size / SLOWEST_BYTES_PER_MS,
      bytes: 0,
      users: 0,
      tries: 0,
      backOff: new BackOff(),
    };
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    return entry;
  }

  #enqueue(entry: Entry): void {
    this.#timers.stop(entry.path);
    const local = this.#local.get(entry.fileId);
    if (local) return this.#loaded(entry, local);
    if (entry.fileId.startsWith(UPLOAD_PREFIX)) return;
    entry.state.set({ ...NO_BYTES, isLoading: true });
    if (!this.#queue.includes(entry.path)) this.#queue.push(entry.path);
    this.#loadNext();
  }

  #loadNext(): void {
    while (this.#running < AT_ONCE && this.#queue.length > 0 && !this.#isStopped) {
      // What came on the screen last is looked at now.
      const path = this.#queue.pop();
      const entry = [...this.#entries.values()].find((each) => each.path === path);
      if (!entry?.state.get().isLoading) continue;
      if (entry.users === 0) entry.state.set(NO_BYTES);
      else void this.#loadEntry(entry);
    }
  }

  async #loadEntry(entry: Entry): Promise<void> {
    this.#running += 1;
    try {
      const blob = await this.#load(entry.path, entry.limitMs);
      if (!this.#isStopped && !entry.state.get().url) this.#loaded(entry, blob);
    } catch (error) {
      if (!this.#isStopped && !entry.state.get().url) this.#failed(entry, error);
    } finally {
      this.#running -= 1;
      this.#loadNext();
    }
  }

  #loaded(entry: Entry, blob: Blob): void {
    const type = SHOWN.test(blob.type) ? blob.type : UNKNOWN_TYPE;
    entry.bytes = blob.size;
    entry.tries = 0;
    entry.state.set({ ...NO_BYTES, url: URL.createObjectURL(blob.slice(0, blob.size, type)) });
    this.#evict(entry);
  }

  #failed(entry: Entry, error: unknown): void {
    entry.tries += 1;
    const failure = toFailure(error);
    const isTemporary = error instanceof MessengerError && error.retryable && entry.tries < MAX_TRIES;
    if (!isTemporary) return entry.state.set({ ...NO_BYTES, failure });
    this.#timers.start(entry.path, entry.backOff.next(failure.retryAfterMs), () => this.#enqueue(entry));
  }

  #evict(except?: Entry): void {
    let bytes = 0;
    for (const entry of this.#entries.values()) bytes += entry.bytes;
    for (const [id, entry] of [...this.#entries]) {
      if (bytes <= MAX_BYTES && this.#entries.size <= MAX_ENTRIES) return;
      if (entry === except || entry.users > 0 || entry.state.hasListeners || !isSettled(entry)) continue;
      this.#entries.delete(id);
      this.#timers.stop(entry.path);
      bytes -= entry.bytes;
      revoke(entry.state.get());
    }
  }
}

const needsBytes = ({ state }: Entry) => {
  const { url, isLoading, failure } = state.get();
  return !url && !isLoading && !failure;
};

const isSettled = ({ state }: Entry) => state.get().url !== null || state.get().failure !== null;

function revoke({ url }: FileState): void {
  if (url) URL.revokeObjectURL(url);
}
