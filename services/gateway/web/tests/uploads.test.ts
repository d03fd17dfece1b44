import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { BrowserBlobStore } from '../src/lib/core/files/blobStore.ts';
import type { BytesRequest } from '../src/lib/core/files/sendBytes.ts';
import type { UploadRecord } from '../src/lib/core/files/upload.ts';
import { MAX_FILES, Uploads } from '../src/lib/core/files/uploads.ts';
import { openDurableMap } from '../src/lib/core/outbox/durableMap.ts';
import { FakeFiles } from './fakeFiles.ts';

const ROOM = 'a conversation';
const WAIT = { timeout: 10_000 };
const pages: Uploads[] = [];
let server: FakeFiles;
/** The locks that tabs hold. */
let locks: Set<string>;

/** A page of the browser. Pages share the storage and the locks. */
function openPage(): Uploads {
  const { rest, base, send } = server;
  const takeLock = async (name: string) => {
    if (locks.has(name)) return null;
    locks.add(name);
    return () => void locks.delete(name);
  };
  const page = new Uploads({
    rest,
    base,
    send,
    name: 'user 1',
    map: openDurableMap<UploadRecord>('user 1 uploads', 'id'),
    blobs: new BrowserBlobStore('user 1 bytes'),
    takeLock,
    onBytes: () => undefined,
  });
  pages.push(page);
  return page;
}

const file = (text: string, name = 'a.txt', type = 'text/plain') => new File([text], name, { type });
const phases = (page: Uploads) => page.all.get().map((upload) => upload.phase);
const becomes = (page: Uploads, ...expected: string[]) =>
  vi.waitFor(() => expect(phases(page)).toEqual(expected), WAIT);
const firstFailure = (page: Uploads) => page.all.get()[0]?.failure?.code;

/** The network is cut during the first request of this method. */
function cut(method: string): void {
  let isOver = false;
  server.faultOf = (request: BytesRequest) => {
    if (request.method !== method || isOver) return null;
    isOver = true;
    return 'cut';
  };
}

beforeEach(() => {
  vi.stubGlobal('indexedDB', new IDBFactory());
  vi.spyOn(Math, 'random').mockReturnValue(0);
  server = new FakeFiles();
  locks = new Set();
});

afterEach(() => {
  for (const page of pages.splice(0)) page.stop();
});

describe('an upload by offset', () => {
  test('creates the file, sends its bytes and completes it', async () => {
    const page = openPage();
    expect(page.add(ROOM, [file('hello', '인사.txt')])).toBe(0);
    await becomes(page, 'ready');
    expect(server.calls).toEqual(['POST /files', 'PATCH 0', 'POST /files/file-1/complete']);
    expect(server.textOf('file-1')).toBe('hello');
    const [upload] = page.all.get();
    expect(upload).toMatchObject({ conversationId: ROOM, messageId: null, sent: 5, failure: null });
    expect(upload?.file).toMatchObject({ file_id: 'file-1', name: '인사.txt', size: 5, state: 'ready' });
  });

  test('continues after a cut where the gateway says', async () => {
    cut('PATCH');
    const page = openPage();
    page.add(ROOM, [file('0123456789')]);
    await becomes(page, 'ready');
    expect(server.textOf('file-1')).toBe('0123456789');
    expect(server.calls).toEqual([
      'POST /files',
      'PATCH 0',
      'HEAD 0',
      'PATCH 5',
      'POST /files/file-1/complete',
    ]);
  });

  test('asks again for the offset when somebody else went on', async () => {
    const statuses = [409];
    server.faultOf = ({ method }) => (method === 'PATCH' ? (statuses.pop() ?? null) : null);
    const page = openPage();
    page.add(ROOM, [file('abc')]);
    await becomes(page, 'ready');
    expect(server.calls).toContain('HEAD 0');
  });

  test('begins anew when the gateway does not know it any more', async () => {
    const page = openPage();
    cut('PATCH');
    const forget = server.faultOf;
    server.faultOf = (request) => {
      if (request.method === 'HEAD') server.files.delete('file-1');
      return forget(request);
    };
    page.add(ROOM, [file('abcdef')]);
    await becomes(page, 'ready');
    expect([...server.files.values()].map((stored) => stored.bytes.length)).toEqual([6]);
    expect(server.calls.filter((call) => call === 'POST /files')).toHaveLength(2);
  });

  test('is not given up while the network is away', async () => {
    vi.useFakeTimers();
    vi.mocked(Math.random).mockReturnValue(0.9);
    const page = openPage();
    server.faultOf = () => 503;
    page.add(ROOM, [file('abc')]);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(phases(page)).toEqual(['uploading']);
    expect(firstFailure(page)).toBe('unavailable');
    server.faultOf = () => null;
    page.hurry();
    vi.useRealTimers();
    await becomes(page, 'ready');
    expect(firstFailure(page)).toBeUndefined();
  });
});

describe('other ways', () => {
  test('one request brings all to an absolute URL', async () => {
    server.kind = 'whole';
    const page = openPage();
    page.add(ROOM, [file('hello')]);
    await becomes(page, 'ready');
    expect(server.calls).toEqual(['POST /files', 'PUT 0', 'POST /files/file-1/complete']);
  });

  test('parts are asked for until none is missing', async () => {
    server.kind = 'parts';
    const page = openPage();
    page.add(ROOM, [file('0123456789abcdefXY')]);
    await becomes(page, 'ready');
    expect(server.textOf('file-1')).toBe('0123456789abcdefXY');
    expect(server.calls.filter((call) => call === 'PUT')).toHaveLength(5);
  });

  test('a part whose URL has ended is asked for again', async () => {
    server.kind = 'parts';
    const statuses = [403];
    server.faultOf = ({ url }) => (url.includes('part=2') ? (statuses.pop() ?? null) : null);
    const page = openPage();
    page.add(ROOM, [file('01234567')]);
    await becomes(page, 'ready');
    expect(server.textOf('file-1')).toBe('01234567');
    expect(server.calls.filter((call) => call === 'POST /files')).toHaveLength(1);
  });
});

test('an answer in the place of the gateway does no harm', async () => {
  server.kind = 'parts';
  const statuses = [200, 200, 200];
  server.faultOf = () => statuses.pop() ?? null;
  const page = openPage();
  page.add(ROOM, [file('01234567')]);
  await becomes(page, 'ready');
  expect(server.textOf('file-1')).toBe('01234567');
});

describe('limits', () => {
  test('a draft has at most ten files, and three are sent at once', async () => {
    const open = server.hold();
    const page = openPage();
    const files = Array.from({ length: MAX_FILES + 2 }, (_, at) => file(`file ${at}`));
    expect(page.add(ROOM, files)).toBe(2);
    expect(page.add('another', [file('x')])).toBe(0);
    await vi.waitFor(() => expect(server.underWay).toBe(3), WAIT);
    open();
    await becomes(page, ...Array(MAX_FILES + 1).fill('ready'));
    expect(server.mostUnderWay).toBe(3);
  });

  test.each(['file_too_large', 'file_type_refused', 'quota_exceeded'])('%s is told', async (code) => {
    server.refusalOf = (path) => (path === '/files' ? code : null);
    const page = openPage();
    page.add(ROOM, [file('x')]);
    await becomes(page, 'failed');
    expect(firstFailure(page)).toBe(code);
    server.refusalOf = () => null;
    page.retry(page.all.get()[0]?.id ?? '');
    await becomes(page, 'ready');
  });

  test('a type that is refused by its content needs another file', async () => {
    server.refusalOf = (path) => (path.endsWith('complete') ? 'file_type_refused' : null);
    const page = openPage();
    page.add(ROOM, [file('x')]);
    await becomes(page, 'failed');
    expect(firstFailure(page)).toBe('file_type_refused');
  });

  test('an empty file and one that cannot be read any more are told', async () => {
    const page = openPage();
    const gone = file('abc');
    vi.spyOn(gone, 'slice').mockReturnValue({
      arrayBuffer: () => Promise.reject(new DOMException('gone', 'NotReadableError')),
    } as Blob);
    page.add(ROOM, [file(''), gone]);
    await becomes(page, 'failed', 'failed');
    expect(page.all.get().map((upload) => upload.failure?.code)).toEqual(['file_empty', 'file_unreadable']);
  });
});

describe('the next page', () => {
  async function halfUploaded(): Promise<Uploads> {
    const page = openPage();
    await page.load();
    server.faultOf = ({ headers }) =>
      headers['Upload-Offset'] === '0' && server.calls.length < 3 ? 'cut' : 503;
    page.add(ROOM, [file('0123456789', 'kept.txt')]);
    await vi.waitFor(() => expect(server.textOf('file-1')).toBe('01234'), WAIT);
    // The bytes and the record are saved beside the upload.
    await vi.waitFor(async () => expect(await new BrowserBlobStore('user 1 bytes').ids()).toHaveLength(1));
    return page;
  }

  test('continues the upload of the last one', async () => {
    const first = await halfUploaded();
    first.stop();
    server.faultOf = () => null;
    const second = openPage();
    await second.load();
    await becomes(second, 'ready');
    expect(server.textOf('file-1')).toBe('0123456789');
    expect(server.calls.filter((call) => call === 'POST /files')).toHaveLength(1);
    expect(second.all.get()[0]?.file.name).toBe('kept.txt');
  });

  test('leaves alone what another tab has in hand', async () => {
    const first = await halfUploaded();
    const second = openPage();
    await second.load();
    expect(second.all.get()).toEqual([]);
    server.faultOf = () => null;
    await becomes(first, 'ready');
  });

  test('knows nothing of what was removed', async () => {
    const first = await halfUploaded();
    first.remove(first.all.get()[0]?.id ?? '');
    await vi.waitFor(async () => expect(await new BrowserBlobStore('user 1 bytes').ids()).toEqual([]), WAIT);
    first.stop();
    const second = openPage();
    await second.load();
    expect(second.all.get()).toEqual([]);
  });
});

test('without storage an upload lives as long as the page', async () => {
  vi.stubGlobal('indexedDB', undefined);
  const page = openPage();
  await page.load();
  expect(page.isLoaded.get()).toBe(true);
  page.add(ROOM, [file('abc')]);
  await becomes(page, 'ready');
});
