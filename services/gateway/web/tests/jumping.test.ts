import { expect, test } from 'vitest';
import { advance, setUpMessenger } from './setup.ts';

const setup = setUpMessenger();
const history = () => setup.session().room(setup.gateway.conversation)?.history.get();
const seqs = () => history()?.messages.map((message) => message.seq) ?? [];
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);
const pages = () => setup.gateway.calls.filter((call) => call.includes('/messages?')).length;

async function openAt(messages: number): Promise<void> {
  for (let n = 1; n <= messages; n += 1) setup.gateway.storeMessage(`message ${n}`);
  await advance(50);
  void setup.session().open(setup.gateway.conversation);
  await advance(50);
}

async function jump(seq: number): Promise<void> {
  const done = setup.session().loadAround(setup.gateway.conversation, `m${seq}`);
  await Promise.all([done, advance(50)]);
}

test('an old message is loaded with those around it by one request, however old it is', async () => {
  await openAt(1_000);
  const before = pages();
  await jump(300);
  expect(pages()).toBe(before + 1);
  expect(seqs()).toEqual(range(250, 349));
  expect(history()).toMatchObject({ hasOlder: true, hasNewer: true, status: 'ready' });
});

test('what is near is joined with the loaded messages', async () => {
  await openAt(1_000);
  await jump(920);
  expect(seqs()).toEqual(range(870, 1_000));
  expect(history()).toMatchObject({ hasOlder: true, hasNewer: false });
  await jump(5);
  await jump(120);
  expect(seqs()).toEqual(range(1, 169));
  expect(history()).toMatchObject({ hasOlder: false, hasNewer: true });
});

test('live messages do not make a hole in an old part, and are there on the way back', async () => {
  await openAt(400);
  await jump(100);
  setup.gateway.storeMessage('live');
  setup.gateway.edit(100, 'edited');
  await advance(50);
  expect(seqs()).toEqual(range(50, 149));
  expect(setup.texts()[50]).toBe('edited');
  const back = setup.session().loadNewest(setup.gateway.conversation);
  setup.gateway.storeMessage('while going back');
  await Promise.all([back, advance(50)]);
  expect(seqs()).toEqual(range(353, 402));
  expect(history()?.hasNewer).toBe(false);
});

test('scrolling down from an old part reaches the newest message without a hole', async () => {
  await openAt(300);
  await jump(50);
  for (let times = 0; times < 3; times += 1) {
    void setup.session().loadNewer(setup.gateway.conversation);
    setup.gateway.storeMessage('live');
    await advance(50);
  }
  expect(seqs()).toEqual(range(1, 303));
  expect(history()).toMatchObject({ hasNewer: false, isLoadingNewer: false });
});

test('an old part marks nothing as read, and a reload after a long absence keeps it', async () => {
  await openAt(400);
  await jump(100);
  setup.session().markRead(setup.gateway.conversation);
  await advance(50);
  expect(setup.gateway.last.sent.filter((frame) => frame.type === 'message.read')).toHaveLength(0);
  setup.session().store.fetchRequests.emit({ kind: 'history', id: setup.gateway.conversation });
  await advance(500);
  expect(seqs()).toEqual(range(50, 149));
  expect(setup.session().room(setup.gateway.conversation)?.row.get().last_message?.seq).toBe(400);
});

test('a jump without a connection is refused and changes nothing', async () => {
  await openAt(400);
  const before = seqs();
  setup.gateway.isUp = false;
  const refused = expect(setup.session().loadAround(setup.gateway.conversation, 'm5')).rejects.toMatchObject({
    code: 'offline',
  });
  await Promise.all([refused, advance(50)]);
  expect(seqs()).toEqual(before);
});

test('a jump to a message that is not there is refused', async () => {
  await openAt(100);
  setup.gateway.messages.splice(2, 1);
  const refused = expect(setup.session().loadAround(setup.gateway.conversation, 'm3')).rejects.toMatchObject({
    code: 'not_found',
  });
  await Promise.all([refused, advance(50)]);
});

test('in a conversation that is not loaded, the jump needs no other request', async () => {
  for (let n = 1; n <= 500; n += 1) setup.gateway.storeMessage(`message ${n}`);
  await advance(50);
  setup.session().view.open(setup.gateway.conversation);
  const jumped = setup.session().loadAround(setup.gateway.conversation, 'm200');
  void setup.session().open(setup.gateway.conversation);
  await Promise.all([jumped, advance(50)]);
  expect(pages()).toBe(1);
  expect(seqs()).toEqual(range(150, 249));
  expect(history()).toMatchObject({ hasOlder: true, hasNewer: true, status: 'ready' });
});

test('a jump while the conversation opens waits for it', async () => {
  for (let n = 1; n <= 500; n += 1) setup.gateway.storeMessage(`message ${n}`);
  await advance(50);
  setup.session().view.open(setup.gateway.conversation);
  void setup.session().open(setup.gateway.conversation);
  await jump(200);
  expect(seqs()).toEqual(range(150, 249));
});

test('a refused jump in a conversation that is not loaded loads its newest messages', async () => {
  for (let n = 1; n <= 100; n += 1) setup.gateway.storeMessage(`message ${n}`);
  await advance(50);
  const refused = expect(
    setup.session().loadAround(setup.gateway.conversation, 'nowhere'),
  ).rejects.toMatchObject({ code: 'not_found' });
  await Promise.all([refused, advance(50)]);
  expect(seqs()).toEqual(range(51, 100));
  expect(history()).toMatchObject({ hasNewer: false, status: 'ready' });
});
