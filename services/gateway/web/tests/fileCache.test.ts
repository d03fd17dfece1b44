import { beforeEach, describe, expect, test, vi } from 'vitest';
import { MessengerError, offlineError } from '../src/lib/core/contract/failure.ts';
import { FileCache, type FileKey } from '../src/lib/core/files/fileCache.ts';

const MIB = 2 ** 20;
const PNG = 'image/png';
let loads: string[];
let open: Set<string>;
let answer: (path: string) => Blob;
let cache: FileCache;

const key = (fileId: string, thumb: number | null = null): FileKey => ({ fileId, thumb, size: 10 });
const until = (check: () => void) => vi.waitFor(check, { timeout: 10_000 });
/** A blob that claims a size. */
const sized = (size: number) =>
  Object.defineProperty(new Blob(['x'], { type: PNG }), 'size', { value: size });

beforeEach(() => {
  loads = [];
  open = new Set();
  answer = () => new Blob(['x'], { type: PNG });
  let made = 0;
  vi.spyOn(URL, 'createObjectURL').mockImplementation((blob) => {
    made += 1;
    const url = `blob:${made} ${(blob as Blob).type}`;
    open.add(url);
    return url;
  });
  vi.spyOn(URL, 'revokeObjectURL').mockImplementation((url) => void open.delete(url));
  vi.spyOn(Math, 'random').mockReturnValue(0);
  cache = new FileCache(async (path) => {
    loads.push(path);
    await Promise.resolve();
    return answer(path);
  });
});

describe('the bytes of files', () => {
  test('are loaded once for all who use them', async () => {
    const ends = [cache.use(key('a')), cache.use(key('a')), cache.use(key('a', 320))];
    expect(cache.of(key('a')).get()).toMatchObject({ url: null, isLoading: true });
    await until(() => expect(cache.of(key('a', 320)).get().url).not.toBeNull());
    expect(loads.sort()).toEqual(['/files/a', '/files/a/thumb/320']);
    for (const end of ends) end();
    cache.use(key('a'));
    expect(loads).toHaveLength(2);
    cache.stop();
    expect(open.size).toBe(0);
  });

  test('are kept up to a bound, and never taken from who uses them', async () => {
    answer = () => sized(30 * MIB);
    const end = cache.use(key('used'));
    await until(() => expect(open.size).toBe(1));
    for (const name of ['a', 'b', 'c']) {
      const done = cache.use(key(name));
      await until(() => expect(cache.of(key(name)).get().url).not.toBeNull());
      done();
    }
    expect(open.size).toBe(2);
    expect(cache.of(key('used')).get().url).not.toBeNull();
    end();
  });

  test('have no type that could run in the page', async () => {
    const types = { page: 'text/html', drawing: 'image/svg+xml', song: 'audio/mpeg', photo: 'image/jpeg' };
    answer = (path) => new Blob(['x'], { type: types[path.slice(7) as keyof typeof types] });
    for (const name of Object.keys(types)) cache.use(key(name));
    await until(() => expect(open.size).toBe(4));
    const typeOf = (name: string) => cache.of(key(name)).get().url?.split(' ')[1];
    expect(typeOf('page')).toBe('application/octet-stream');
    expect(typeOf('drawing')).toBe('application/octet-stream');
    expect(typeOf('song')).toBe('audio/mpeg');
    expect(typeOf('photo')).toBe('image/jpeg');
  });

  test('are tried again after a cut, and a refusal is told', async () => {
    const errors = [offlineError(), offlineError()];
    answer = () => {
      const error = errors.pop();
      if (error) throw error;
      return new Blob(['x'], { type: PNG });
    };
    cache.use(key('a'));
    await until(() => expect(cache.of(key('a')).get().url).not.toBeNull());
    expect(loads).toHaveLength(3);
    errors.push(new MessengerError({ code: 'not_found', message: '', retryable: false }));
    cache.use(key('b'));
    await until(() => expect(cache.of(key('b')).get().failure?.code).toBe('not_found'));
    cache.retry(key('b'));
    await until(() => expect(cache.of(key('b')).get().url).not.toBeNull());
  });

  test('are not loaded if the page uploads them itself', () => {
    cache.hold('upload:1', new File(['x'], 'a.png', { type: PNG }), PNG);
    cache.use(key('upload:1'));
    expect(cache.of(key('upload:1')).get().url).not.toBeNull();
    cache.use(key('upload:another tab'));
    expect(loads).toEqual([]);
  });
});
