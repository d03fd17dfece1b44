/** What has to do with files for one user: the bytes that the page shows, and what it uploads. */

import { Observable } from '../base/observable.ts';
import type { ConnectionState } from '../connection/socketConnection.ts';
import type { Attachment } from '../contract/wire.ts';
import type { Draft } from '../outbox/outbox.ts';
import type { SharedConnection } from '../tabs/sharedConnection.ts';
import type { Engine, EngineOptions } from './engine.ts';
import { FileCache } from './fileCache.ts';
import type { Uploads } from './uploads.ts';

const FEATURE = 'files';

export interface FilesOptions extends Omit<EngineOptions, 'cache'> {
  connection: SharedConnection;
}

export class Files {
  /** Null until a gateway that takes files is connected, and the part that uploads them is loaded. */
  readonly uploads = new Observable<Uploads | null>(null);
  readonly cache: FileCache;
  #options: EngineOptions;
  #engine: Engine | null = null;
  #isLoading = false;
  #isStopped = false;
  #off: () => void;

  constructor({ connection, ...options }: FilesOptions) {
    this.cache = new FileCache((path, limitMs) => options.rest.bytes(path, limitMs));
    this.#options = { ...options, cache: this.cache };
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
    if (state.connected.features?.includes(FEATURE)) void this.#load();
  }

  /** If it cannot be loaded, the next connection tries again. */
  async #load(): Promise<void> {
    if (this.#engine || this.#isLoading) return;
    this.#isLoading = true;
    const found = await import('./engine.ts').catch(() => null);
    this.#isLoading = false;
    if (!found || this.#isStopped) return;
    this.#engine = new found.Engine(this.#options);
    this.uploads.set(this.#engine.uploads);
    await this.#engine.start();
  }
}
