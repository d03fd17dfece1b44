/** Builds the part that uploads files. It is loaded when it is needed. */

import type { RestClient } from '../connection/restClient.ts';
import { openDurableMap } from '../outbox/durableMap.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { Attaching } from './attaching.ts';
import { BrowserBlobStore } from './blobStore.ts';
import type { FileCache } from './fileCache.ts';
import { sendByXhr } from './sendBytes.ts';
import { takeTabLock } from './tabLocks.ts';
import type { UploadRecord } from './upload.ts';
import { Uploads } from './uploads.ts';

export interface EngineOptions {
  rest: RestClient;
  /** The gateway's REST address. */
  base: string;
  /** Begins the names of what this browser keeps for the user. */
  name: string;
  outbox: Outbox;
  cache: FileCache;
}

export class Engine {
  readonly uploads: Uploads;
  #attaching: Attaching;
  #outbox: Outbox;
  #name: string;

  constructor({ rest, base, name, outbox, cache }: EngineOptions) {
    this.#name = name;
    this.#outbox = outbox;
    this.uploads = new Uploads({
      rest,
      base,
      name,
      send: sendByXhr,
      map: openDurableMap<UploadRecord>(`${name} uploads`, 'id'),
      blobs: new BrowserBlobStore(`${name} bytes`),
      takeLock: takeTabLock,
      onBytes: (id, blob, mime) => cache.hold(id, blob, mime),
    });
    this.#attaching = new Attaching(outbox, this.uploads);
  }

  /**
   * Takes up the uploads of earlier pages, and fails the messages that can never be sent. Resolves to whether any tab has
   * uploads.
   */
  async start(): Promise<boolean> {
    const hasUploads = await this.uploads.load();
    await becomesTrue(this.#outbox.isLoaded);
    await this.#attaching.failLost(takeTabLock, this.#name);
    return hasUploads || this.uploads.all.get().length > 0;
  }

  stop(): void {
    this.#attaching.stop();
    this.uploads.stop();
  }
}

function becomesTrue(value: Outbox['isLoaded']): Promise<void> {
  return new Promise((resolve) => {
    if (value.get()) return resolve();
    const off = value.watch(() => {
      off();
      resolve();
    });
  });
}
