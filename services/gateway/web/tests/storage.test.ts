import 'fake-indexeddb/auto';
import { IDBDatabase as FakeDatabase, IDBObjectStore as FakeStore, IDBFactory } from 'fake-indexeddb';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Drafts } from '../src/lib/core/outbox/drafts.ts';
import { type DurableMap, openDurableMap } from '../src/lib/core/outbox/durableMap.ts';

interface Thing {
  id: string;
  text: string;
}

const NAME = 'a user';
const maps: DurableMap<Thing>[] = [];
let factory: IDBFactory;

function openMap(): DurableMap<Thing> {
  const map = openDurableMap<Thing>(NAME, 'id');
  maps.push(map);
  return map;
}

async function storedTexts(): Promise<string[]> {
  const found: Thing[] = [];
  await openMap().load((things) => found.push(...things));
  return found.map((thing) => thing.text);
}

const silent = { addEventListener: () => undefined, removeEventListener: () => undefined };
const invalid = () => {
  throw new DOMException('The database connection is closing.', 'InvalidStateError');
};
const isFailing = (map: DurableMap<Thing>) => vi.waitFor(() => expect(map.isFailing.get()).toBe(true), 8_000);
const isSettled = async (promise: Promise<void>) => {
  const still = Symbol('still');
  return (await Promise.race([promise, Promise.resolve(still)])) !== still;
};

beforeEach(() => {
  factory = new IDBFactory();
  vi.stubGlobal('indexedDB', factory);
  vi.spyOn(Math, 'random').mockReturnValue(0);
});

afterEach(() => {
  for (const map of maps.splice(0)) map.stop();
});

describe('a storage whose connection dies', () => {
  test('is opened again, and keeps what was put', async () => {
    const map = openMap();
    await map.put({ id: '1', text: 'before' });
    vi.spyOn(FakeDatabase.prototype, 'transaction').mockImplementationOnce(invalid);
    await map.put({ id: '2', text: 'after' });
    expect(map.isFailing.get()).toBe(false);
    expect(await storedTexts()).toEqual(['before', 'after']);
  });

  test('says so while nothing can be kept, and keeps it when it can', async () => {
    const map = openMap();
    await map.put({ id: '1', text: 'before' });
    const broken = vi.spyOn(FakeDatabase.prototype, 'transaction').mockImplementation(invalid);
    const kept = map.put({ id: '2', text: 'meanwhile' });
    await isFailing(map);
    expect(await isSettled(kept)).toBe(false);
    broken.mockRestore();
    await kept;
    await vi.waitFor(() => expect(map.isFailing.get()).toBe(false));
    expect(await storedTexts()).toEqual(['before', 'meanwhile']);
  });

  test('lets go of what was removed meanwhile', async () => {
    const map = openMap();
    await map.put({ id: '1', text: 'gone' });
    const broken = vi.spyOn(FakeDatabase.prototype, 'transaction').mockImplementation(invalid);
    map.remove('1');
    await isFailing(map);
    broken.mockRestore();
    await vi.waitFor(() => expect(map.isFailing.get()).toBe(false));
    expect(await storedTexts()).toEqual([]);
  });

  test('settles what is not wanted any more, though it was never kept', async () => {
    const broken = vi.spyOn(FakeDatabase.prototype, 'transaction').mockImplementation(invalid);
    const map = openMap();
    const kept = map.put({ id: '1', text: 'sent without being kept' });
    map.remove('1');
    await kept;
    broken.mockRestore();
  });
});

describe('a storage that', () => {
  test('is emptied while it is open gets all of it again', async () => {
    const map = openMap();
    await map.put({ id: '1', text: 'one' });
    await map.put({ id: '2', text: 'two' });
    map.removedElsewhere('2');
    // Deletes the database, which closes the open connection, as clearing a site's data does.
    await new Promise((resolve, reject) => {
      const request = factory.deleteDatabase(NAME);
      request.onsuccess = resolve;
      request.onblocked = reject;
    });
    await map.flush();
    await map.put({ id: '3', text: 'three' });
    expect(await storedTexts()).toEqual(['one', 'three']);
  });

  test('has a newer version, and one without our part, serves all the same', async () => {
    await new Promise((resolve) => {
      const request = factory.open(NAME, 7);
      request.onsuccess = () => resolve(request.result.close());
    });
    await openMap().put({ id: '1', text: 'kept' });
    expect(await storedTexts()).toEqual(['kept']);
  });

  test('is full keeps nothing, and says so', async () => {
    const full = vi.spyOn(FakeStore.prototype, 'put').mockImplementation(() => {
      throw new DOMException('The quota has been exceeded.', 'QuotaExceededError');
    });
    const map = openMap();
    const kept = map.put({ id: '1', text: 'much' });
    await isFailing(map);
    full.mockRestore();
    await kept;
    expect(await storedTexts()).toEqual(['much']);
  });

  test('is refused keeps nothing, and holds up nobody', async () => {
    vi.stubGlobal('indexedDB', { open: () => invalid() });
    const map = openMap();
    await map.load(() => undefined);
    expect(map.isFailing.get()).toBe(true);
  });

  test('is not there keeps nothing, and holds up nobody', async () => {
    vi.stubGlobal('indexedDB', undefined);
    const map = openMap();
    await map.load(() => undefined);
    expect(map.isFailing.get()).toBe(true);
  });

  test('never answers holds up nobody, and is read when it answers', async () => {
    const before = openMap();
    await before.put({ id: '1', text: 'left by an earlier page' });
    before.stop();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    vi.stubGlobal('indexedDB', { open: () => Object.assign(Object.create(IDBRequest.prototype), silent) });
    const map = openMap();
    const found: Thing[] = [];
    const loaded = map.load((things) => found.push(...things));
    await vi.advanceTimersByTimeAsync(3_000);
    await loaded;
    expect(map.isFailing.get()).toBe(true);
    vi.useRealTimers();
    vi.stubGlobal('indexedDB', factory);
    await map.flush();
    expect(found.map((thing) => thing.text)).toEqual(['left by an earlier page']);
  });
});

describe('a draft', () => {
  const kept = new Map<string, string>();
  const draftOf = (id: string) => new Drafts('me').of(id).get();

  beforeEach(() => {
    kept.clear();
    vi.stubGlobal('localStorage', {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => kept.set(key, value),
      removeItem: (key: string) => kept.delete(key),
    });
  });

  test('that was sent is forgotten when it is kept elsewhere', async () => {
    const drafts = new Drafts('me');
    drafts.set('c', 'hello');
    drafts.sent('c', 'hello', Promise.resolve());
    expect(drafts.of('c').get()).toBe('');
    await Promise.resolve();
    expect(draftOf('c')).toBe('');
  });

  test('that was sent and can not be kept is there for the next page, whatever was written since', async () => {
    const drafts = new Drafts('me');
    let keepFirst = () => {};
    const first = new Promise<void>((resolve) => {
      keepFirst = resolve;
    });
    const never = new Promise<void>(() => undefined);
    drafts.set('c', 'first');
    drafts.sent('c', 'first', first);
    drafts.set('c', 'second');
    drafts.sent('c', 'second', never);
    drafts.set('c', 'third');
    expect(drafts.of('c').get()).toBe('third');
    expect(draftOf('c')).toBe('first\nsecond\nthird');
    keepFirst();
    await first;
    await Promise.resolve();
    expect(draftOf('c')).toBe('second\nthird');
  });
});
