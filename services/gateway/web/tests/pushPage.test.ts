import { beforeEach, expect, test, vi } from 'vitest';
import type { PushDevice } from '../src/lib/core/push/pushDevice.ts';
import { PushPage } from '../src/lib/core/push/pushPage.ts';
import type { WorkerMessage } from '../src/lib/core/push/workerEvents.ts';

const OPEN: WorkerMessage = { type: 'messenger.open', conversation_id: 'tea' };
const check = vi.fn(async (_isChanged?: boolean) => undefined);
let container: EventTarget;
let page: PushPage;

beforeEach(() => {
  container = new EventTarget();
  check.mockClear();
  vi.stubGlobal('window', new EventTarget());
  vi.stubGlobal('navigator', { serviceWorker: container });
  page = new PushPage({ check } as unknown as PushDevice, (id) => id === 'tea');
});

/** Tells the page something, and gives what it answers. */
function told(data: WorkerMessage): unknown[] {
  const postMessage = vi.fn();
  container.dispatchEvent(Object.assign(new Event('message'), { data, ports: [{ postMessage }] }));
  return postMessage.mock.calls.flat();
}

test('however many components use it, it listens once, and until the last one ends', () => {
  const [first, second] = [page.use(() => undefined), page.use(() => undefined)];
  expect(check).toHaveBeenCalledTimes(2);
  window.dispatchEvent(new Event('focus'));
  expect(check).toHaveBeenCalledTimes(3);
  told({ type: 'messenger.subscription' });
  expect(check.mock.calls.slice(3)).toEqual([[true]]);
  first();
  expect(told({ type: 'messenger.shows', conversation_id: 'tea' })).toEqual([true]);
  expect(told({ type: 'messenger.shows', conversation_id: 'other' })).toEqual([false]);
  second();
  window.dispatchEvent(new Event('focus'));
  expect(told({ type: 'messenger.shows', conversation_id: 'tea' })).toEqual([]);
  expect(check).toHaveBeenCalledTimes(4);
  page.use(() => undefined);
  expect(told({ type: 'messenger.shows', conversation_id: 'tea' })).toEqual([true]);
});

test('it says that it opens a conversation only once a component can', () => {
  const opened: string[] = [];
  page.use(() => undefined);
  expect(told(OPEN)).toEqual([]);
  const end = page.use(() => (id) => opened.push(id));
  expect([told(OPEN), opened]).toEqual([[true], ['tea']]);
  end();
  expect([told(OPEN), opened]).toEqual([[], ['tea']]);
});
