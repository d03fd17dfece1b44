import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { askPermission, isUnsupported, Notifier } from '../src/lib/core/notifier.ts';
import { advance, setUpMessenger } from './setup.ts';

const setup = setUpMessenger();

interface Shown {
  title: string;
  body: string;
  tag: string;
  renotify: boolean;
  isClosed: boolean;
  onclick: () => void;
  onclose: () => void;
}

let shown: Shown[];
let notifier: Notifier;
const opened: string[] = [];
const open = () => shown.filter((each) => !each.isClosed).map((each) => each.body);

function fakeNotification(permission: string, made: (one: Shown) => void = (one) => shown.push(one)) {
  return class {
    static permission = permission;
    static requestPermission = vi.fn(async () => permission);
    isClosed = false;
    constructor(title: string, options: object) {
      Object.assign(this, { title, ...options });
      made(this as unknown as Shown);
    }
    close() {
      this.isClosed = true;
    }
  };
}

beforeEach(() => {
  shown = [];
  opened.length = 0;
  isUnsupported.set(false);
  vi.stubGlobal('Notification', fakeNotification('granted'));
  vi.stubGlobal('window', Object.assign(new EventTarget(), { focus() {} }));
  const describe = ({ message }: { message: { content: string | null } }) => ({
    title: 'Somebody',
    body: message.content ?? '',
  });
  notifier = new Notifier(setup.session(), () => ({ describe, onOpen: (id) => opened.push(id) }));
});

afterEach(() => notifier.stop());

test('every message calls, also the second of a conversation', async () => {
  setup.gateway.storeMessage('one');
  await advance(2_000);
  setup.gateway.storeMessage('two');
  await advance(2_000);
  expect(shown.map(({ body, renotify, tag }) => [body, renotify, tag])).toEqual([
    ['one', true, setup.gateway.conversation],
    ['two', true, setup.gateway.conversation],
  ]);
});

test('a burst calls at its start and once more for what came last', async () => {
  for (let n = 0; n < 50; n += 1) setup.gateway.storeMessage(`message ${n}`);
  await advance(5_000);
  expect(shown.at(-1)?.body).toBe('message 49');
  expect(shown.length).toBeLessThanOrEqual(2);
});

test('what is read elsewhere is closed', async () => {
  setup.gateway.storeMessage('one');
  await advance(50);
  expect(open()).toEqual(['one']);
  setup.session().room(setup.gateway.conversation)?.updateRow({ read_seq: 1, unread: 0 });
  await advance(50);
  expect(open()).toEqual([]);
});

test('what is muted or left meanwhile is closed', async () => {
  setup.gateway.storeMessage('one');
  await advance(50);
  setup.session().room(setup.gateway.conversation)?.updateRow({ muted: true });
  await advance(50);
  expect(open()).toEqual([]);
  setup.session().room(setup.gateway.conversation)?.updateRow({ muted: false });
  setup.gateway.storeMessage('two');
  await advance(2_000);
  expect(open()).toEqual(['two']);
  setup.session().store.remove(setup.gateway.conversation);
  await advance(50);
  expect(open()).toEqual([]);
});

test('what is deleted is closed, also before it was shown', async () => {
  const tell = (type: string, data: object) =>
    setup
      .session()
      .connection.events.emit({ type, conversation_id: setup.gateway.conversation, data } as never);
  setup.gateway.storeMessage('one');
  await advance(50);
  setup.gateway.storeMessage('two');
  await advance(50);
  const [one, two] = setup.gateway.messages;
  tell('message.deleted', { ...one });
  expect(open()).toEqual(['one']);
  tell('message.deleted', { ...two });
  await advance(5_000);
  expect(shown).toHaveLength(1);
  expect(open()).toEqual([]);
});

test('an edit changes what is shown and calls nobody', async () => {
  setup.gateway.storeMessage('one');
  await advance(50);
  const [one] = setup.gateway.messages;
  const edited = { ...one, content: 'changed' };
  const { conversation: conversation_id } = setup.gateway;
  setup.session().connection.events.emit({ type: 'message.edited', conversation_id, data: edited } as never);
  await advance(50);
  expect(shown.map(({ body, renotify }) => [body, renotify])).toEqual([
    ['one', true],
    ['changed', false],
  ]);
});

test('looking at the conversation closes it, and so does a click, which opens it', async () => {
  setup.gateway.storeMessage('one');
  await advance(50);
  const view = { conversations: [setup.gateway.conversation], users: [], visible: true, focused: true };
  setup.session().connection.viewChanged.emit({ tab: 'another', view });
  expect(open()).toEqual([]);
  setup.session().connection.viewChanged.emit({ tab: 'another', view: null });
  setup.gateway.storeMessage('two');
  await advance(2_000);
  shown.at(-1)?.onclick();
  expect(open()).toEqual([]);
  expect(opened).toEqual([setup.gateway.conversation]);
});

test('when the page goes its notifications go', async () => {
  setup.gateway.storeMessage('one');
  await advance(50);
  notifier.stop();
  expect(open()).toEqual([]);
});

test('a browser that lets no page make one is told, and nothing is thrown', async () => {
  const refuse = () => {
    throw new TypeError('Illegal constructor');
  };
  vi.stubGlobal('Notification', fakeNotification('granted', refuse));
  setup.gateway.storeMessage('one');
  await advance(50);
  expect(isUnsupported.get()).toBe(true);
});

test('where no page can make one the user is not asked', async () => {
  const refusing = fakeNotification('default', () => {
    throw new TypeError('Illegal constructor');
  });
  vi.stubGlobal('Notification', refusing);
  await askPermission();
  expect(isUnsupported.get()).toBe(true);
  expect(refusing.requestPermission).not.toHaveBeenCalled();
});

test.each(['denied', 'default'])('without permission (%s) nothing is made', async (permission) => {
  vi.stubGlobal('Notification', fakeNotification(permission));
  setup.gateway.storeMessage('one');
  await advance(50);
  expect(shown).toEqual([]);
});

test('a question that the browser refuses to ask is no error', async () => {
  vi.stubGlobal('Notification', undefined);
  await askPermission();
  const refusing = Object.assign(fakeNotification('default'), {
    requestPermission: () => Promise.reject(new Error('not here')),
  });
  vi.stubGlobal('Notification', refusing);
  await askPermission();
});

test('in a browser that gets pushes the worker shows it, and the push of the same message finds it', async () => {
  const seen: { title: string; tag: string; data: object; close: () => void }[] = [];
  const registration = {
    pushManager: { getSubscription: async () => ({}) },
    showNotification: async (title: string, options: { tag: string; data: object }) => {
      seen.push({ title, ...options, close: () => void seen.splice(0) });
    },
    getNotifications: async ({ tag }: { tag: string }) => seen.filter((each) => each.tag === tag),
  };
  vi.stubGlobal('navigator', { serviceWorker: { getRegistration: async () => registration } });
  setup.gateway.storeMessage('one');
  await vi.waitFor(async () => {
    await advance(50);
    expect(seen).toHaveLength(1);
  });
  const { conversation } = setup.gateway;
  expect(seen[0]).toMatchObject({ tag: conversation, data: { conversation_id: conversation, seq: 1 } });
  expect(shown).toEqual([]);
  // It is there without the page too.
  window.dispatchEvent(new Event('pagehide'));
  await advance(50);
  expect(seen).toHaveLength(1);
  setup.session().room(conversation)?.updateRow({ read_seq: 1, unread: 0 });
  await advance(50);
  expect(seen).toEqual([]);
});

test("a page's own notifications go with the page", async () => {
  setup.gateway.storeMessage('one');
  await advance(50);
  const [notification] = shown;
  window.dispatchEvent(new Event('pagehide'));
  expect(notification?.isClosed).toBe(true);
});
