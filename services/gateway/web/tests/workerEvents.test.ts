import { expect, test } from 'vitest';
import { describePush } from '../src/client/worker/describe.ts';
import { workerTexts } from '../src/client/worker/texts.ts';
import {
  type ClientWindow,
  type MessagePush,
  type NotificationRequest,
  openConversation,
  receivePush,
  tellOfSubscription,
  type WorkerMessage,
  type WorkerPort,
} from '../src/lib/core/index.ts';

const TEA = 'tea';

/** A worker whose notifications replace each other by their tags, as in a browser. */
class FakeWorker implements WorkerPort {
  requests: NotificationRequest[] = [];
  open = new Map<string, NotificationRequest>();
  badges: number[] = [];
  opened: (string | null)[] = [];
  pages: FakeWindow[] = [];

  async show(request: NotificationRequest) {
    this.requests.push(request);
    this.open.set(request.tag, request);
  }

  async shown(tag: string) {
    const found = this.open.get(tag);
    return found ? [{ ...found, close: () => void this.open.delete(tag) }] : [];
  }

  async windows() {
    return this.pages;
  }

  async openWindow(id: string | null) {
    this.opened.push(id);
  }

  async setBadge(count: number) {
    this.badges.push(count);
  }

  async describe(push: Parameters<WorkerPort['describe']>[0]) {
    return describePush(push, workerTexts('en', []));
  }

  get bodies() {
    return [...this.open.values()].map(({ body }) => body);
  }
}

class FakeWindow implements ClientWindow {
  told: WorkerMessage[] = [];
  asked: string[] = [];
  /** How often it is asked to open a conversation until it listens. */
  startsAfter = 1;
  isFocused = false;
  isVisible = true;
  shown: string | null = null;

  constructor(fields: Partial<Pick<FakeWindow, 'isFocused' | 'isVisible' | 'shown'>> = {}) {
    Object.assign(this, fields);
  }

  async focus(): Promise<void> {
    throw new DOMException('not allowed', 'InvalidAccessError');
  }

  tell(message: WorkerMessage) {
    this.told.push(message);
  }

  async opens(id: string) {
    this.asked.push(id);
    return this.asked.length >= this.startsAfter;
  }

  async shows(id: string) {
    return this.shown === id;
  }
}

const message = (seq: number, fields: Partial<MessagePush> = {}): string =>
  JSON.stringify({
    type: 'message',
    conversation_id: TEA,
    message_id: `m${seq}`,
    seq,
    badge: seq,
    mention: false,
    conversation: { type: 'group', title: 'Tea' },
    sender: { id: 7, name: 'Grace' },
    message_type: 'text',
    text: `message ${seq}`,
    ...fields,
  });
const read = (seq: number, badge = 0) => JSON.stringify({ type: 'read', conversation_id: TEA, seq, badge });

test('each newer message alerts and takes the place of the last one; older ones are dropped', async () => {
  const worker = new FakeWorker();
  for (const seq of [2, 3, 1, 3]) await receivePush(worker, message(seq));
  expect(worker.requests.map(({ body, renotify, silent }) => [body, renotify, silent])).toEqual([
    ['message 2', true, false],
    ['message 3', true, false],
  ]);
  expect(worker.bodies).toEqual(['message 3']);
  expect(worker.badges).toEqual([2, 3, 1, 3]);
});

test('what is read is closed, and something later stays', async () => {
  const worker = new FakeWorker();
  await receivePush(worker, message(3));
  await receivePush(worker, read(2, 1));
  expect(worker.bodies).toEqual(['message 3']);
  await receivePush(worker, read(3));
  expect(worker.bodies).toEqual([]);
  // The push that closes it has shown something, without a sound, for browsers that want that.
  expect(worker.requests.at(-1)).toMatchObject({ body: 'message 3', silent: true, renotify: false });
  expect(worker.badges).toEqual([3, 1, 0]);
});

test('nothing is shown where the user looks, and no sound is made elsewhere in the client', async () => {
  const worker = new FakeWorker();
  worker.pages = [new FakeWindow({ isFocused: true, shown: TEA })];
  await receivePush(worker, message(1));
  expect(worker.requests).toEqual([]);
  worker.pages = [new FakeWindow({ isFocused: true, shown: 'another' }), new FakeWindow({ shown: TEA })];
  await receivePush(worker, message(2));
  expect(worker.requests).toMatchObject([{ body: 'message 2', silent: true, renotify: false }]);
});

test.each([undefined, '', 'no JSON', 'null', '3', '{"type":"something new","badge":3}'])(
  'a push of another version does nothing: %s',
  async (text) => {
    const worker = new FakeWorker();
    await receivePush(worker, text);
    expect([worker.requests, worker.badges]).toEqual([[], []]);
  },
);

test('a click opens the conversation in the best window, or in a new one', async () => {
  const worker = new FakeWorker();
  const data = { conversation_id: TEA, seq: 1 };
  await openConversation(worker, data);
  await openConversation(worker, null);
  expect(worker.opened).toEqual([TEA, null]);
  const [hidden, visible] = [new FakeWindow({ isVisible: false }), new FakeWindow()];
  worker.pages = [hidden, visible];
  await openConversation(worker, data);
  expect([hidden.asked, visible.asked]).toEqual([[], [TEA]]);
  await tellOfSubscription(worker);
  expect(hidden.told).toEqual([{ type: 'messenger.subscription' }]);
  expect(worker.opened).toHaveLength(2);
});

test('a page that is starting is told of a click until it listens, or for some seconds', async () => {
  const worker = new FakeWorker();
  const page = new FakeWindow();
  worker.pages = [page];
  for (const [startsAfter, tries] of [
    [3, 3],
    [Number.POSITIVE_INFINITY, 20],
  ] as const) {
    Object.assign(page, { startsAfter, asked: [] });
    await openConversation(worker, { conversation_id: TEA, seq: 1 });
    expect(page.asked).toEqual(Array(tries).fill(TEA));
  }
  await openConversation(worker, null);
  expect(page.asked).toHaveLength(20);
});

test('the text says as much as the gateway lets it', () => {
  const texts = workerTexts(undefined, ['ko-KR', 'en']);
  const described = (fields: object) => {
    const { title, body } = describePush(JSON.parse(message(1, fields)), texts);
    return `${title} / ${body}`;
  };
  const hidden = { conversation: undefined, sender: undefined, message_type: undefined, text: undefined };
  expect(described({})).toBe('Grace · Tea / message 1');
  expect(described({ conversation: { type: 'direct', title: null } })).toBe('Grace / message 1');
  expect(described({ sender: { id: 7, name: null } })).toBe('사용자 7 · Tea / message 1');
  expect(described({ sender: { id: 0, name: null }, text: null })).toBe('시스템 · Tea / 새 메시지');
  expect(described({ text: undefined })).toBe('Grace · Tea / 새 메시지');
  expect(described({ text: null, message_type: 'file' })).toBe('Grace · Tea / 새 파일');
  expect(described(hidden)).toBe('메신저 / 새 메시지');
  expect(described({ ...hidden, mention: true })).toBe('메신저 / 새 메시지에서 나를 멘션했습니다');
  expect(described({ sender: { id: 7, name: '\u202eecarG' } })).toBe('ecarG · Tea / message 1');
  expect(described({ text: 'x'.repeat(500) })).toHaveLength('Grace · Tea / '.length + 140);
  expect(describePush({ type: 'test', badge: 0 }, texts).title).toBe('메신저');
});
