/** Builds what has to do with files for one user: uploads, their messages, and the bytes that the page shows. */

import type { RestClient } from '../connection/restClient.ts';
import type { Attachment } from '../contract/wire.ts';
import { openDurableMap } from '../outbox/durableMap.ts';
import type { Draft, Outbox } from '../outbox/outbox.ts';
import type { SharedConnection } from '../tabs/sharedConnection.ts';
import { Attaching } from './attaching.ts';
import { BrowserBlobStore } from './blobStore.ts';
import { FileCache } from './fileCache.ts';
import { sendByXhr } from './sendBytes.ts';
import { takeTabLock } from './tabLocks.ts';
import type { UploadRecord } from './upload.ts';
import { Uploads } from './uploads.ts';

export interface FilesOptions {
  rest: RestClient;
  /** The gateway's REST address. */
  base: string;
  /** Begins the names of what this browser keeps for the user. */
  name: string;
  outbox: Outbox;
  connection: SharedConnection;
}

export class Files {
  readonly uploads: Uploads;
  readonly cache: FileCache;
  #attaching: Attaching;
  #name: string;
  #off: () => void;

  constructor({ rest, base, name, outbox, connection }: FilesOptions) {
    this.#name = name;
    this.cache = new FileCache((path, limitMs) => rest.bytes(path, limitMs));
    this.uploads = new Uploads({
      rest,
      base,
      name,
      send: sendByXhr,
      map: openDurableMap<UploadRecord>(`${name} uploads`, 'id'),
      blobs: new BrowserBlobStore(`${name} bytes`),
      takeLock: takeTabLock,
      onBytes: (id, blob, mime) => this.cache.hold(id, blob, mime),
    });
    this.#attaching = new Attaching(outbox, this.uploads);
    this.#off = connection.state.watch(({ phase }) => {
      if (phase !== 'online') return;
      this.uploads.hurry();
      this.cache.hurry();
    });
  }

  /** `outboxLoaded` resolves when the unsent messages of earlier pages are known. */
  async start(outboxLoaded: Promise<void>): Promise<void> {
    await Promise.all([this.uploads.load(), outboxLoaded]);
    await this.#attaching.failLost(takeTabLock, this.#name);
  }

  stop(): void {
    this.#off();
    this.#attaching.stop();
    this.uploads.stop();
    this.cache.stop();
  }

  /** The message with its kind and its files as they are shown until they are uploaded. */
  prepare(draft: Draft): { draft: Draft; attachments: Attachment[] } {
    const attachments = (draft.uploads ?? []).flatMap((id) => this.uploads.attachment(id) ?? []);
    if (attachments.length === 0 || draft.message_type) return { draft, attachments };
    const isAllPictures = attachments.every((file) => file.kind === 'image');
    return { draft: { ...draft, message_type: isAllPictures ? 'image' : 'file' }, attachments };
  }
}
