/**
 * Joins unsent messages with their uploads: a message is sent when all of its uploads are complete, and fails if one of
 * them does. The tab that has the uploads in hand does this.
 */

import { watchAll } from '../base/observable.ts';
import type { Failure } from '../contract/failure.ts';
import type { Outbox, OutboxEntry } from '../outbox/outbox.ts';
import type { TakeLock } from './tabLocks.ts';
import type { Upload } from './upload.ts';
import type { Uploads } from './uploads.ts';

const lost: Failure = { code: 'file_lost', message: 'The file is not there any more', retryable: false };

export class Attaching {
  #outbox: Outbox;
  #uploads: Uploads;
  /** Messages whose uploads this tab has in hand. */
  #known = new Set<string>();
  /** Messages that failed because of an upload, until the user tries again. */
  #failed = new Set<string>();
  #isUpdating = false;
  #off: () => void;

  constructor(outbox: Outbox, uploads: Uploads) {
    this.#outbox = outbox;
    this.#uploads = uploads;
    const update = () => this.#update();
    this.#off = watchAll([outbox.entries, uploads.all, outbox.isLoaded, uploads.isLoaded], update);
  }

  stop(): void {
    this.#off();
  }

  /** Call when both are loaded. A message whose uploads no tab has can never be sent. */
  async failLost(takeLock: TakeLock, name: string): Promise<void> {
    for (const entry of this.#outbox.entries.get())
      for (const id of entry.uploads ?? []) {
        if (this.#uploads.find(id)) continue;
        const release = await takeLock(`${name} upload ${id}`);
        if (release && !this.#uploads.find(id) && !entry.failure) this.#outbox.fail(entry, lost);
        release?.();
      }
  }

  /** A change here causes others, which the first call sees to. */
  #update(): void {
    if (this.#isUpdating || !this.#outbox.isLoaded.get()) return;
    this.#isUpdating = true;
    this.#dropSettled();
    for (const entry of this.#outbox.entries.get()) this.#look(entry);
    this.#returnToDraft();
    this.#isUpdating = false;
  }

  /** The message is stored, or the user discarded it. */
  #dropSettled(): void {
    const entries = new Set(this.#outbox.entries.get().map((entry) => entry.client_message_id));
    for (const id of this.#known) {
      if (entries.has(id)) continue;
      this.#known.delete(id);
      this.#failed.delete(id);
      for (const upload of this.#uploads.all.get())
        if (upload.messageId === id) this.#uploads.remove(upload.id);
    }
  }

  #look(entry: OutboxEntry): void {
    const { client_message_id: id, uploads: ids = [] } = entry;
    const found = ids.flatMap((each) => this.#uploads.find(each) ?? []);
    if (ids.length === 0 || found.length < ids.length) return;
    this.#known.add(id);
    this.#uploads.assign(ids, id);
    const failed = found.find((upload) => upload.phase === 'failed');
    if (entry.failure && failed) this.#failed.add(id);
    if (entry.failure) return;
    if (failed && this.#failed.delete(id)) this.#retry(found);
    else if (failed) this.#fail(entry, failed);
    else if (found.every((upload) => upload.phase === 'ready')) this.#attach(entry, ids);
  }

  #retry(uploads: Upload[]): void {
    for (const upload of uploads) this.#uploads.retry(upload.id);
  }

  #fail(entry: OutboxEntry, { failure }: Upload): void {
    this.#failed.add(entry.client_message_id);
    if (failure) this.#outbox.fail(entry, failure);
  }

  #attach(entry: OutboxEntry, ids: readonly string[]): void {
    const files = ids.map((id) => this.#uploads.attachment(id)).filter((file) => file !== undefined);
    const isSaved = this.#outbox.attach(entry, files);
    // Until then the next page needs the uploads.
    void isSaved.then(() => {
      for (const id of ids) this.#uploads.remove(id);
    });
  }

  /** An earlier page may have ended before it saved the message that it gave its uploads to. */
  #returnToDraft(): void {
    if (!this.#uploads.isLoaded.get()) return;
    const entries = new Set(this.#outbox.entries.get().map((entry) => entry.client_message_id));
    for (const { id, messageId } of this.#uploads.all.get())
      if (messageId !== null && !entries.has(messageId)) this.#uploads.assign([id], null);
  }
}
