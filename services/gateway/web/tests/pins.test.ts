import { expect, test } from 'vitest';
import { advance, setUpMessenger } from './setup.ts';

const setup = setUpMessenger();
const room = () => setup.session().room(setup.gateway.conversation);
const pinned = () =>
  room()
    ?.pins.state.get()
    .pins.map((pin) => pin.message.content);
const reads = () => setup.gateway.calls.filter((call) => call.includes('/pins')).length;
const message = (seq: number) => setup.gateway.messages[seq - 1] as never;

async function openWith(messages: number): Promise<void> {
  for (let n = 1; n <= messages; n += 1) setup.gateway.storeMessage(`message ${n}`);
  await advance(10);
  void setup.session().open(setup.gateway.conversation);
  const found = room();
  if (found) void setup.session().pinning.load(found);
  await advance(100);
}

test('pins are read once, and then follow the events', async () => {
  setup.gateway.storeMessage('message 1');
  setup.gateway.marks.pin('m1', true);
  await openWith(0);
  expect(pinned()).toEqual(['message 1']);
  setup.gateway.storeMessage('message 2');
  setup.gateway.marks.pin('m2', true);
  await advance(500);
  expect(pinned()).toEqual(['message 2', 'message 1']);
  setup.gateway.marks.pin('m1', false);
  await advance(500);
  expect(pinned()).toEqual(['message 2']);
  expect(reads()).toBe(1);
});

test('a pinned message that is not loaded is read', async () => {
  await openWith(60);
  setup.gateway.marks.pin('m1', true);
  await advance(500);
  expect(pinned()).toEqual(['message 1']);
  expect(reads()).toBe(2);
});

test('a list that was requested before an event does not undo it', async () => {
  setup.gateway.storeMessage('message 1');
  setup.gateway.marks.pin('m1', true);
  await advance(10);
  void setup.session().open(setup.gateway.conversation);
  await advance(50);
  const found = room();
  if (found) void setup.session().pinning.load(found);
  const stale = setup.gateway.marks.pins(setup.gateway.messages);
  const { marks } = setup.gateway;
  const pins = marks.pins.bind(marks);
  let isStale = true;
  marks.pins = (messages) => (isStale ? stale : pins(messages));
  setup.gateway.network = { delay: () => 0, copies: () => 1 };
  marks.pin('m1', false);
  await advance(1);
  isStale = false;
  await advance(500);
  expect(pinned()).toEqual([]);
});

test('edits and deletions reach the pinned messages', async () => {
  await openWith(2);
  setup.gateway.marks.pin('m1', true);
  setup.gateway.marks.pin('m2', true);
  setup.gateway.edit(1, 'edited');
  await advance(50);
  expect(pinned()).toEqual(['message 2', 'edited']);
  const pos = setup.gateway.nextPos();
  const data = { ...setup.gateway.messages[1], content: null, deleted_at: new Date().toISOString(), pos };
  const conversation_id = setup.gateway.conversation;
  setup.gateway.publish({ type: 'message.deleted', conversation_id, message_id: 'm2', pos, data });
  await advance(50);
  expect(pinned()).toEqual(['edited']);
});

test('pinning is visible at once, and the last of quick presses remains', async () => {
  await openWith(1);
  setup.gateway.network = { delay: () => 50, copies: () => 1 };
  const { pinning } = setup.session();
  const done = [pinning.set(message(1), true), pinning.set(message(1), false), pinning.set(message(1), true)];
  expect(pinned()).toEqual(['message 1']);
  await Promise.all([...done, advance(500)]);
  expect(pinned()).toEqual(['message 1']);
  expect(setup.gateway.marks.pinned).toEqual(['m1']);
});

test('a refused pin is taken back', async () => {
  await openWith(1);
  setup.gateway.refusalOf = () => ({ type: 'error', message: '', code: 'forbidden', retryable: false });
  const refused = expect(setup.session().pinning.set(message(1), true)).rejects.toMatchObject({
    code: 'forbidden',
  });
  await Promise.all([refused, advance(50)]);
  expect(pinned()).toEqual([]);
});

test('what was pinned while the client was away is there when it is back', async () => {
  await openWith(2);
  setup.gateway.isUp = false;
  setup.gateway.last.end(1006);
  await advance(10);
  setup.gateway.marks.pin('m1', true);
  setup.gateway.isUp = true;
  await advance(6_000);
  expect(pinned()).toEqual(['message 1']);
});

test('pins that could not be read while offline are read when the connection is back', async () => {
  setup.gateway.storeMessage('message 1');
  setup.gateway.marks.pin('m1', true);
  await advance(50);
  setup.gateway.isUp = false;
  setup.gateway.last.end(1006);
  await openWith(0);
  expect(room()?.pins.state.get().status).toBe('failed');
  setup.gateway.isUp = true;
  await advance(6_000);
  expect(pinned()).toEqual(['message 1']);
});
