/** Uploads one file: creates it at the gateway, sends its bytes, and completes it, again and again until it is done. */

import { BackOff } from '../base/backoff.ts';
import type { RestClient } from '../connection/restClient.ts';
import { type Failure, MessengerError, toFailure } from '../contract/failure.ts';
import type { Attachment } from '../contract/wire.ts';
import type { SendBytes } from './sendBytes.ts';
import type { UploadPhase, UploadRecord, UploadTarget } from './upload.ts';
import { transferBytes, uploadGoneError } from './uploadProtocols.ts';

/** An upload fails for good after this many failures that are not the network's, without progress in between. */
const MAX_FAILURES = 8;
/** Failures of the network. They are no reason to give up. */
const NETWORK = ['offline', 'unanswered', 'no_token', 'rate_limited', 'overloaded', 'unavailable'];

export interface JobPorts {
  rest: Pick<RestClient, 'call'>;
  /** The gateway's REST address. */
  base: string;
  send: SendBytes;
  /** The job's state has changed. With `isSaved`, the record too. */
  onChange: (isSaved: boolean) => void;
}

export class UploadJob {
  record: UploadRecord;
  phase: UploadPhase = 'waiting';
  sent = 0;
  failure: Failure | null = null;
  readonly blob: Blob;
  #ports: JobPorts;
  #ending = new AbortController();
  #wake: () => void = () => undefined;
  /** The furthest that any try has come. */
  #reached = 0;
  #failures = 0;
  #backOff = new BackOff();

  constructor(record: UploadRecord, blob: Blob, ports: JobPorts) {
    this.record = record;
    this.blob = blob;
    this.#ports = ports;
    if (record.file) {
      this.phase = 'ready';
      this.sent = record.size;
    }
  }

  /** Resolves when the upload is ready, failed or stopped. It never rejects. */
  async run(): Promise<void> {
    this.#become('uploading', false);
    while (!this.#ending.signal.aborted) {
      try {
        const file = await this.#try();
        this.record = { ...this.record, file };
        return this.#become('ready', true);
      } catch (error) {
        if (this.#ending.signal.aborted) return;
        const delay = await this.#delayAfter(error);
        if (delay === null) return this.#fail(toFailure(error));
        this.failure = toFailure(error);
        this.#ports.onChange(false);
        await this.#wait(delay);
      }
    }
  }

  /** Makes a failed upload wait for its turn again. */
  retry(): void {
    if (this.phase !== 'failed') return;
    this.failure = null;
    this.#failures = 0;
    this.#backOff.reset();
    this.#become('waiting', false);
  }

  /** Ends the wait before the next try. */
  hurry(): void {
    this.#wake();
  }

  stop(): void {
    this.#ending.abort();
    this.#wake();
  }

  async #try(): Promise<Attachment> {
    const isNew = this.record.target === null;
    const target = this.record.target ?? (await this.#create());
    const { base, send } = this.#ports;
    const { signal } = this.#ending;
    const onProgress = (sent: number) => this.#progress(sent);
    await transferBytes({ blob: this.blob, target, isNew, base, send, signal, onProgress });
    return this.#call<Attachment>(`/files/${this.record.fileId}/complete`);
  }

  async #create(): Promise<UploadTarget> {
    const { name, size, mime } = this.record;
    if (size === 0) throw new MessengerError(empty);
    const created = await this.#call<{ file_id: string; upload: UploadTarget }>('/files', {
      name,
      size,
      mime,
    });
    this.record = { ...this.record, fileId: created.file_id, target: created.upload };
    this.#ports.onChange(true);
    return created.upload;
  }

  async #call<T>(path: string, body?: unknown): Promise<T> {
    const answer = await this.#ports.rest.call<T>('POST', path, body);
    if (this.#ending.signal.aborted) throw uploadGoneError();
    return answer;
  }

  #progress(sent: number): void {
    if (this.#ending.signal.aborted) return;
    const before = percentOf(this.sent, this.record.size);
    this.sent = Math.min(sent, this.record.size);
    if (this.sent > this.#reached) {
      this.#reached = this.sent;
      this.#failures = 0;
      this.#backOff.reset();
    }
    const isSeen = before !== percentOf(this.sent, this.record.size) || this.failure !== null;
    this.failure = null;
    if (isSeen) this.#ports.onChange(false);
  }

  /** The delay in ms before the next try, or null if there is to be none. */
  async #delayAfter(error: unknown): Promise<number | null> {
    if (!(error instanceof MessengerError)) return null;
    const { code, retryable, retryAfterMs } = error;
    if (code === 'offline' && !(await isReadable(this.blob))) {
      this.#fail(unreadable);
      return null;
    }
    // Nothing is known of the file any more, or not all of it arrived.
    const isUnknown = code === 'upload_gone' || code === 'not_found';
    if (isUnknown) this.#forget();
    if (!retryable && !isUnknown && code !== 'file_not_ready') return null;
    if (!NETWORK.includes(code)) this.#failures += 1;
    return this.#failures >= MAX_FAILURES ? null : this.#backOff.next(retryAfterMs);
  }

  #forget(): void {
    this.record = { ...this.record, fileId: null, target: null };
    this.sent = 0;
    this.#ports.onChange(true);
  }

  #fail(failure: Failure): void {
    if (this.phase === 'failed') return;
    this.failure = failure;
    // Another try needs another file: this one was refused.
    if (failure.code === 'file_type_refused') this.record = { ...this.record, fileId: null, target: null };
    this.#become('failed', true);
  }

  #become(phase: UploadPhase, isSaved: boolean): void {
    this.phase = phase;
    if (phase === 'ready') this.sent = this.record.size;
    if (phase !== 'failed') this.failure = null;
    this.#ports.onChange(isSaved);
  }

  #wait(delay: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delay);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** What a progress bar shows. Every step redraws the page. */
const percentOf = (sent: number, size: number): number => Math.floor((sent / size) * 100);

const empty: Failure = { code: 'file_empty', message: 'The file is empty', retryable: false };
const unreadable: Failure = {
  code: 'file_unreadable',
  message: 'The file cannot be read any more',
  retryable: false,
};

/** A file that was changed or removed on the disk fails like the network does. */
async function isReadable(blob: Blob): Promise<boolean> {
  try {
    await blob.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
