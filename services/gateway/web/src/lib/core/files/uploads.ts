/**
 * The uploads that this tab has in hand. An upload and its bytes are saved in IndexedDB, so that it continues after a
 * reload. A lock says that it is this tab's; the next page takes up what no tab has in hand.
 */

import { newId } from '../base/ids.ts';
import { flushListeners, Observable } from '../base/observable.ts';
import { wellFormed } from '../base/wellFormed.ts';
import type { Attachment } from '../contract/wire.ts';
import type { DurableMap } from '../outbox/durableMap.ts';
import type { BlobStore } from './blobStore.ts';
import { UPLOAD_PREFIX } from './fileCache.ts';
import type { TakeLock } from './tabLocks.ts';
import { attachmentOf, type Upload, type UploadRecord } from './upload.ts';
import { type JobPorts, UploadJob } from './uploadJob.ts';

/** The most files of one message. */
export const MAX_FILES = 10;
const AT_ONCE = 3;
/** What was not sent by then is forgotten. */
const MAX_AGE_MS = 7 * 24 * 3_600_000;
const UNKNOWN_TYPE = 'application/octet-stream';
/** What the gateway takes as a media type. */
const MIME = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/;
const MAX_MIME_CHARS = 127;

export interface UploadPorts extends Omit<JobPorts, 'onChange'> {
  map: DurableMap<UploadRecord>;
  blobs: BlobStore;
  takeLock: TakeLock;
  /** Begins the names of the locks. */
  name: string;
  /** The bytes of a file are known here: `id` is the upload's and later the file's. */
  onBytes: (id: string, blob: Blob, mime: string) => void;
}

/** A file to upload. A `File` is one. */
export interface NewUpload extends Blob {
  name?: string;
}

export class Uploads {
  readonly all = new Observable<readonly Upload[]>([]);
  /** Whether the uploads of earlier pages are taken up. */
  readonly isLoaded = new Observable(false);
  #ports: UploadPorts;
  #jobs = new Map<string, UploadJob>();
  #views = new WeakMap<UploadJob, Upload>();
  #releases = new Map<string, () => void>();
  #running = new Set<UploadJob>();
  #isStopped = false;

  constructor(ports: UploadPorts) {
    this.#ports = ports;
  }

  stop(): void {
    this.#isStopped = true;
    for (const job of this.#jobs.values()) job.stop();
    for (const release of this.#releases.values()) release();
    this.#ports.map.stop();
    this.#ports.blobs.close();
  }

  /**
   * Takes up the uploads of earlier pages that no other tab has in hand. Resolves to whether there are any, in this tab
   * or another one.
   */
  async load(): Promise<boolean> {
    let adopting = Promise.resolve<unknown>(null);
    await this.#ports.map.load((records) => {
      adopting = Promise.all(records.map((record) => this.#adopt(record)));
    });
    await adopting;
    this.isLoaded.set(true);
    return this.#removeLostBytes();
  }

  /** Begins to upload files for a conversation's draft, in this order. Returns how many are too many. */
  add(conversationId: string, files: readonly NewUpload[]): number {
    const free = Math.max(0, MAX_FILES - this.ofDraft(conversationId).length);
    for (const file of files.slice(0, free)) this.#begin(conversationId, file);
    flushListeners();
    return Math.max(0, files.length - free);
  }

  ofDraft(conversationId: string): Upload[] {
    const isOfDraft = (each: Upload) => each.conversationId === conversationId && each.messageId === null;
    return this.all.get().filter(isOfDraft);
  }

  find(id: string): Upload | undefined {
    return this.all.get().find((upload) => upload.id === id);
  }

  /** The file as its message shows it. Its id is the upload's until it is complete. */
  attachment(id: string): Attachment | undefined {
    return this.find(id)?.file;
  }

  /** The page has found out the size of a picture, so that its place is kept. */
  measured(id: string, width: number, height: number): void {
    const job = this.#jobs.get(id);
    if (!job || job.record.width) return;
    job.record = { ...job.record, width, height };
    this.#changed(job, true);
  }

  /** Gives uploads of the draft to the message that they are sent with. */
  assign(ids: readonly string[], messageId: string | null): void {
    for (const id of ids) {
      const job = this.#jobs.get(id);
      if (!job || job.record.messageId === messageId) continue;
      job.record = { ...job.record, messageId };
      this.#changed(job, true);
    }
  }

  retry(id: string): void {
    this.#jobs.get(id)?.retry();
    this.#startNext();
  }

  /** Ends an upload. What is complete stays at the gateway only if a message has it. */
  remove(id: string): void {
    this.#jobs.get(id)?.stop();
    this.#jobs.delete(id);
    this.#ports.map.remove(id);
    void this.#ports.blobs.remove(id);
    this.#releases.get(id)?.();
    this.#releases.delete(id);
    this.#publish();
    flushListeners();
  }

  /** The connection is back: no upload waits for its next try. */
  hurry(): void {
    for (const job of this.#running) job.hurry();
  }

  #begin(conversationId: string, file: NewUpload): void {
    const type = file.type.split(';')[0]?.trim().toLowerCase() ?? '';
    const record: UploadRecord = {
      id: newId(),
      conversationId,
      messageId: null,
      name: wellFormed(file.name ?? '') || 'file',
      size: file.size,
      mime: MIME.test(type) && type.length <= MAX_MIME_CHARS ? type : UNKNOWN_TYPE,
      createdAt: Date.now(),
      fileId: null,
      target: null,
      file: null,
    };
    void this.#ports.takeLock(this.#lockName(record.id)).then((release) => this.#hold(record.id, release));
    void this.#ports.blobs.put(record.id, file);
    void this.#ports.map.put(record);
    this.#addJob(record, file);
  }

  #addJob(record: UploadRecord, blob: Blob): void {
    const { rest, base, send } = this.#ports;
    const onChange = (isSaved: boolean) => this.#changed(job, isSaved);
    const job: UploadJob = new UploadJob(record, blob, { rest, base, send, onChange });
    this.#tellBytes(record, blob);
    this.#jobs.set(record.id, job);
    this.#publish();
    this.#startNext();
  }

  #startNext(): void {
    for (const job of this.#jobs.values()) {
      if (this.#isStopped || this.#running.size >= AT_ONCE) return;
      if (job.phase !== 'waiting' || this.#running.has(job)) continue;
      this.#running.add(job);
      void job.run().finally(() => {
        this.#running.delete(job);
        this.#startNext();
      });
    }
  }

  #changed(job: UploadJob, isSaved: boolean): void {
    const { record } = job;
    if (this.#isStopped || this.#jobs.get(record.id) !== job) return;
    if (isSaved) void this.#ports.map.put(record);
    if (record.file) this.#tellBytes(record, job.blob);
    this.#views.delete(job);
    this.#publish();
  }

  #tellBytes({ id, file, size, mime }: UploadRecord, blob: Blob): void {
    if (blob.size === size) this.#ports.onBytes(file?.file_id ?? UPLOAD_PREFIX + id, blob, mime);
  }

  #publish(): void {
    const views = [...this.#jobs.values()].map((job) => this.#view(job));
    this.all.set(views.sort((one, other) => (one.id < other.id ? -1 : 1)));
  }

  #view(job: UploadJob): Upload {
    const known = this.#views.get(job);
    if (known) return known;
    const { id, conversationId, messageId } = job.record;
    const { phase, sent, failure } = job;
    const view = { id, conversationId, messageId, file: attachmentOf(job.record), phase, sent, failure };
    this.#views.set(job, view);
    return view;
  }

  /** Takes up an upload of an earlier page, unless another tab has it, or its bytes are lost. */
  async #adopt(record: UploadRecord): Promise<void> {
    const { map, blobs, takeLock } = this.#ports;
    const release = await takeLock(this.#lockName(record.id));
    if (!release) return map.removedElsewhere(record.id);
    const isOld = record.createdAt < Date.now() - MAX_AGE_MS;
    const blob = isOld ? null : await blobs.get(record.id);
    if (this.#isStopped) return release();
    if (!blob && (isOld || !record.file)) {
      map.remove(record.id);
      return release();
    }
    this.#addJob(record, blob ?? new Blob());
    this.#hold(record.id, release);
  }

  #hold(id: string, release: (() => void) | null): void {
    if (!release) return;
    // The upload may have been removed in the meantime.
    if (this.#isStopped || !this.#jobs.has(id)) release();
    else this.#releases.set(id, release);
  }

  /** A page may have ended between the removal of an upload and of its bytes. */
  async #removeLostBytes(): Promise<boolean> {
    const { blobs, takeLock } = this.#ports;
    let hasOthers = false;
    for (const id of await blobs.ids()) {
      if (this.#jobs.has(id)) continue;
      const release = await takeLock(this.#lockName(id));
      if (release && !this.#jobs.has(id)) await blobs.remove(id);
      hasOthers ||= release === null;
      release?.();
    }
    return hasOthers || this.#jobs.size > 0;
  }

  #lockName(id: string): string {
    return `${this.#ports.name} upload ${id}`;
  }
}
