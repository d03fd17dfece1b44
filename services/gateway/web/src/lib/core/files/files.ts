/** What has to do with files for one user: the bytes that the page shows, and what it uploads. */

import { Observable } from '../base/observable.ts';
import type { ConnectionState } from '../connection/socketConnection.ts';
import { offlineError } from '../contract/failure.ts';
import type { Attachment } from '../contract/wire.ts';
import type { Draft } from '../outbox/outbox.ts';
import type { SharedConnection } from '../tabs/sharedConnection.ts';
import type { Engine, EngineOptions } from './engine.ts';
import { FileCache } from './fileCache.ts';
import { UploadMarker } from './uploadMarker.ts';
import type { NewUpload, Uploads } from './uploads.ts';

const FEATURE = 'files';

export interface FilesOptions extends Omit<EngineOptions, 'cache'> {
  connection: SharedConnection;
}

export class Files {
  /** Null until the part that uploads files is loaded. */
  readonly uploads = new Observable<Uploads | null>(null);
  readonly cache: FileCache;
  #options: EngineOptions;
  #marker: UploadMarker;
  #engine: Engine | null = null;
  #loading: Promise<Uploads> | null = null;
  #isStopped = false;
  #off: () => void;

  constructor({ connection, ...options }: FilesOptions) {
    this.cache = new FileCache((path, limitMs) => options.rest.bytes(path, limitMs));
    this.#options = { ...options, cache: this.cache };
    this.#marker = new UploadMarker(options.name);
    this.#off = connection.state.watch((state) => this.#connectionChanged(state));
  }

  stop(): void {
    this.#isStopped = true;
    this.#off();
    this.#engine?.stop();
    this.cache.stop();
  }

  /** The message with its kind and its files as they are shown until they are uploaded. */
  prepare(draft: Draft): { draft: Draft; attachments: Attachment[] } {
    const uploads = this.uploads.get();
    const attachments = (draft.uploads ?? []).flatMap((id) => uploads?.attachment(id) ?? []);
    if (attachments.length === 0 || draft.message_type) return { draft, attachments };
    const isAllPictures = attachments.every((file) => file.kind === 'image');
    return { draft: { ...draft, message_type: isAllPictures ? 'image' : 'file' }, attachments };
  }

  #connectionChanged(state: ConnectionState): void {
    if (state.phase !== 'online') return;
    this.cache.hurry();
    this.uploads.get()?.hurry();
    if (state.connected.features?.includes(FEATURE) && this.#hasUploads) this.load().catch(() => undefined);
  }

  /** Whether an earlier page may have left any. */
  get #hasUploads(): boolean {
    return this.#marker.isSet || this.#options.outbox.entries.get().some((entry) => entry.uploads?.length);
  }

  /** Loads the part that uploads files. Rejects with MessengerError if it cannot be loaded now. */
  load(): Promise<Uploads> {
    this.#loading ??= this.#load().catch(() => {
      this.#loading = null;
      throw offlineError();
    });
    return this.#loading;
  }

  /** Begins to upload files for a conversation's draft. Resolves to how many are too many. */
  async add(conversationId: string, files: readonly NewUpload[]): Promise<number> {
    const uploads = await this.load();
    this.#marker.set();
    return uploads.add(conversationId, files);
  }

  async #load(): Promise<Uploads> {
    const { Engine } = await import('./engine.ts');
    if (this.#isStopped) throw offlineError();
    const engine = new Engine(this.#options);
    this.#engine = engine;
    this.uploads.set(engine.uploads);
    void engine.start().then((hasUploads) => !hasUploads && this.#marker.clear());
    return engine.uploads;
  }
}
