/** A gateway's side of uploads in memory, with the faults that a test wants. */

import { vi } from 'vitest';
import { MessengerError, offlineError } from '../src/lib/core/contract/failure.ts';
import type { BytesAnswer, BytesRequest, SendBytes } from '../src/lib/core/files/sendBytes.ts';
import type { UploadTarget } from '../src/lib/core/files/upload.ts';

const PART_BYTES = 4;

interface StoredFile {
  id: string;
  name: string;
  size: number;
  mime: string;
  bytes: Uint8Array;
  parts: Set<number>;
}

type Fault = 'cut' | number | null;

const refusal = (code: string, retryable = false) => new MessengerError({ code, message: code, retryable });

export class FakeFiles {
  readonly base = 'http://gateway.test/api/v1/messenger';
  kind: 'offset' | 'whole' | 'parts' = 'offset';
  readonly files = new Map<string, StoredFile>();
  readonly calls: string[] = [];
  /** What goes wrong with a request for bytes. A cut one still brings the first half of its body. */
  faultOf: (request: BytesRequest) => Fault = () => null;
  /** An error that answers a call, or null. */
  refusalOf: (path: string) => string | null = () => null;
  /** While this is pending, no bytes are answered. */
  gate: Promise<void> = Promise.resolve();
  underWay = 0;
  mostUnderWay = 0;

  /** Makes `gate` pending, and returns what opens it. */
  hold(): () => void {
    let open = () => {};
    this.gate = new Promise((resolve) => {
      open = resolve;
    });
    return open;
  }

  textOf(id: string): string {
    return new TextDecoder().decode(this.files.get(id)?.bytes);
  }

  readonly rest = {
    call: async <T>(_: string, path: string, body?: unknown): Promise<T> => {
      this.calls.push(`POST ${path}`);
      await Promise.resolve();
      const code = this.refusalOf(path);
      if (code) throw refusal(code);
      return (path === '/files' ? this.#create(body as StoredFile) : this.#complete(path)) as T;
    },
  };

  readonly send: SendBytes = async (request) => {
    this.calls.push(`${request.method} ${request.headers['Upload-Offset'] ?? ''}`.trim());
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    try {
      await this.gate;
      return await this.#answer(request);
    } finally {
      this.underWay -= 1;
    }
  };

  #create({ name, size, mime }: StoredFile): { file_id: string; upload: UploadTarget } {
    const id = `file-${this.files.size + 1}`;
    this.files.set(id, { id, name, size, mime, bytes: new Uint8Array(), parts: new Set() });
    const url = this.kind === 'whole' ? `http://store.test/${id}` : `/uploads/${id}`;
    const headers = { 'Upload-Token': `secret-${id}`, 'Upload-Offset': '0' };
    const method = this.kind === 'offset' ? 'PATCH' : 'PUT';
    const parts = this.kind === 'parts' ? { part_bytes: PART_BYTES } : {};
    return { file_id: id, upload: { method, url, headers, ...parts } };
  }

  #complete(path: string): unknown {
    const file = this.files.get(path.split('/')[2] ?? '');
    if (!file) throw refusal('not_found');
    const { id, name, size, mime, bytes } = file;
    if (bytes.length < size) throw refusal('file_not_ready');
    return {
      file_id: id,
      name,
      size,
      mime,
      kind: mime.startsWith('image/') ? 'image' : 'file',
      state: 'ready',
    };
  }

  async #answer(request: BytesRequest): Promise<BytesAnswer> {
    const body = await bytesOf(request.body);
    if (request.signal.aborted) throw offlineError();
    const fault = this.faultOf(request);
    if (typeof fault === 'number') return answer(fault);
    const url = new URL(request.url);
    const file = this.files.get(url.pathname.split('/').at(-1) ?? '');
    if (!file) return answer(404);
    if (request.method === 'HEAD') return answer(200, file.bytes.length);
    if (request.method === 'GET') return answer(200, null, JSON.stringify({ parts: this.#missing(file) }));
    const taken = fault === 'cut' ? body.slice(0, Math.floor(body.length / 2)) : body;
    const part = url.searchParams.get('part');
    if (part !== null) return this.#takePart(file, Number(part), body, fault);
    const from = this.kind === 'offset' ? Number(request.headers['Upload-Offset']) : 0;
    if (from !== file.bytes.length && this.kind === 'offset') return answer(409);
    file.bytes = new Uint8Array([...file.bytes.slice(0, from), ...taken]);
    request.onProgress(taken.length);
    if (fault === 'cut') throw offlineError();
    return answer(204, file.bytes.length);
  }

  #takePart(file: StoredFile, number: number, body: Uint8Array, fault: Fault): BytesAnswer {
    if (fault === 'cut') throw offlineError();
    file.parts.add(number);
    const bytes = new Uint8Array(Math.max(file.bytes.length, (number - 1) * PART_BYTES + body.length));
    bytes.set(file.bytes);
    bytes.set(body, (number - 1) * PART_BYTES);
    file.bytes = bytes;
    return answer(200);
  }

  /** At most two at a time. */
  #missing({ id, size, parts }: StoredFile): unknown[] {
    const numbers = Array.from({ length: Math.ceil(size / PART_BYTES) }, (_, at) => at + 1);
    const missing = numbers.filter((number) => !parts.has(number)).slice(0, 2);
    return missing.map((number) => ({
      number,
      offset: (number - 1) * PART_BYTES,
      size: Math.min(PART_BYTES, size - (number - 1) * PART_BYTES),
      url: `http://store.test/${id}?part=${number}`,
      headers: {},
    }));
  }

  /** Answers the XMLHttpRequest and the REST calls of a messenger, before the gateway does. */
  install(): void {
    const { send, rest } = this;
    const gateway = fetch;
    vi.stubGlobal('fetch', async (url: string, init: RequestInit = {}) => {
      const path = url.slice(this.base.length);
      if (!path.startsWith('/files') || init.method !== 'POST') return gateway(url, init);
      try {
        return Response.json(await rest.call('POST', path, JSON.parse(String(init.body ?? '{}'))));
      } catch (error) {
        const { code, message, retryable } = error as MessengerError;
        return Response.json({ code, detail: message, retryable }, { status: 400 });
      }
    });
    vi.stubGlobal('XMLHttpRequest', fakeXhr(send));
  }
}

function answer(status: number, offset: number | null = null, text = ''): BytesAnswer {
  return {
    status,
    text,
    header: (name) => (name === 'Upload-Offset' && offset !== null ? `${offset}` : null),
  };
}

/** A browser tells no difference between a file that cannot be read and a network that is away. */
async function bytesOf(body: Blob | null): Promise<Uint8Array> {
  try {
    return new Uint8Array((await body?.arrayBuffer()) ?? new ArrayBuffer(0));
  } catch {
    throw offlineError();
  }
}

function fakeXhr(send: SendBytes) {
  return class {
    upload: { onprogress?: (event: { loaded: number }) => void } = {};
    status = 0;
    responseText = '';
    onload = () => {};
    onerror = () => {};
    onabort = () => {};
    onloadend = () => {};
    #ending = new AbortController();
    #request = { method: '', url: '', headers: {} as Record<string, string> };
    #answer: BytesAnswer | null = null;

    open(method: string, url: string): void {
      Object.assign(this.#request, { method, url });
    }

    setRequestHeader(name: string, value: string): void {
      this.#request.headers[name] = value;
    }

    getResponseHeader(name: string): string | null {
      return this.#answer?.header(name) ?? null;
    }

    abort(): void {
      this.#ending.abort();
      this.onabort();
      this.onloadend();
    }

    send(body: Blob | null): void {
      const onProgress = (loaded: number) => this.upload.onprogress?.({ loaded });
      const { signal } = this.#ending;
      send({ ...this.#request, body, signal, onProgress }).then(
        (found) => {
          if (signal.aborted) return;
          this.#answer = found;
          this.status = found.status;
          this.responseText = found.text;
          this.onload();
          this.onloadend();
        },
        () => {
          if (signal.aborted) return;
          this.onerror();
          this.onloadend();
        },
      );
    }
  };
}
