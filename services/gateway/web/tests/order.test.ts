import { describe, expect, test } from 'vitest';
import { advance, setUpMessenger } from './setup.ts';

const setup = setUpMessenger();
const open = () => setup.session().open(setup.gateway.conversation);
const row = () => setup.session().store.conversations.get()[0];
const resumes = () =>
  setup.gateway.sockets.flatMap((socket) => socket.sent).filter((f) => f.type === 'resume');

async function opened(...texts: string[]) {
  for (const text of texts) setup.gateway.storeMessage(text);
  await advance(10);
  void open();
  await advance(50);
}

describe('live frames', () => {
  test('are shown in order, and count as unread', async () => {
    await opened('one', 'two');
    setup.gateway.storeMessage('three');
    await advance(10);
    expect(setup.texts()).toEqual(['one', 'two', 'three']);
    expect(row()).toMatchObject({ unread: 3, last_seq: 3 });
  });

  test('that come twice are shown once, and counted once', async () => {
    await opened('one');
    setup.gateway.network = { delay: () => 1, copies: () => 3 };
    setup.gateway.storeMessage('two');
    await advance(10);
    expect(setup.texts()).toEqual(['one', 'two']);
    expect(row()).toMatchObject({ unread: 2 });
  });

  test('behind a hole wait until what is missing was fetched', async () => {
    await opened('one');
    const before = resumes().length;
    setup.gateway.network = { delay: () => null, copies: () => 1 };
    setup.gateway.storeMessage('lost');
    setup.gateway.network = { delay: () => 1, copies: () => 1 };
    setup.gateway.storeMessage('after the hole');
    await advance(10);
    expect(setup.texts()).toEqual(['one']);
    await advance(100);
    expect(setup.texts()).toEqual(['one', 'lost', 'after the hole']);
    expect(resumes()).toHaveLength(before + 1);
  });

  test('that come during a replay follow on it', async () => {
    await opened('one');
    setup.gateway.network = { delay: () => null, copies: () => 1 };
    setup.gateway.storeMessage('lost');
    setup.gateway.network = { delay: () => 1, copies: () => 1 };
    setup.gateway.storeMessage('two');
    // The replay request has just been sent.
    await advance(22);
    setup.gateway.storeMessage('during');
    await advance(100);
    expect(setup.texts()).toEqual(['one', 'lost', 'two', 'during']);
  });

  test('an edit never goes back to an older text', async () => {
    await opened('one');
    const old = setup.gateway.messages[0];
    setup.gateway.edit(1, 'changed');
    await advance(10);
    setup.gateway.last.deliver({
      type: 'message.edited',
      conversation_id: setup.gateway.conversation,
      pos: 2,
      replay: true,
      data: old,
    });
    await advance(10);
    expect(setup.texts()).toEqual(['changed']);
  });
});

describe('after an absence', () => {
  test('what was missed is there, each once, edits too', async () => {
    await opened('one', 'two');
    setup.gateway.last.end(1006);
    setup.gateway.edit(1, 'ONE');
    setup.gateway.storeMessage('three');
    setup.gateway.edit(3, 'THREE');
    await advance(1_500);
    expect(setup.texts()).toEqual(['ONE', 'two', 'THREE']);
    expect(row()).toMatchObject({ last_message: { content: 'THREE' } });
  });

  test('more than can be replayed is read again, without holes and with the edits of old ones', async () => {
    await opened(...Array.from({ length: 30 }, (_, n) => `early ${n + 1}`));
    setup.gateway.resumeMax = 10;
    setup.gateway.last.end(1006);
    setup.gateway.edit(2, 'edited meanwhile');
    for (let n = 1; n <= 250; n += 1) setup.gateway.storeMessage(`late ${n}`);
    await advance(2_000);
    const texts = setup.texts();
    expect(texts).toHaveLength(280);
    expect(texts[1]).toBe('edited meanwhile');
    expect(texts.at(-1)).toBe('late 250');
  });

  test('a conversation that is gone meanwhile is gone', async () => {
    await opened('one');
    setup.session().store.add({ ...setup.gateway.row(), id: 'gone' });
    setup.gateway.last.end(1006);
    await advance(1_500);
    expect(setup.session().store.conversations.get()).toHaveLength(1);
  });

  test('what was read while nobody could be told is told then', async () => {
    await opened('one');
    setup.gateway.last.end(1006);
    setup.session().markRead(setup.gateway.conversation);
    expect(row()).toMatchObject({ unread: 0, read_seq: 1 });
    await advance(1_500);
    expect(setup.gateway.last.sent).toContainEqual(
      expect.objectContaining({ type: 'message.read', message_id: 'm1' }),
    );
  });
});

describe('history', () => {
  test('is read page by page, and what comes live in between is not lost', async () => {
    for (let n = 1; n <= 120; n += 1) setup.gateway.storeMessage(`message ${n}`);
    await advance(10);
    void open();
    setup.gateway.storeMessage('while loading');
    await advance(50);
    expect(setup.texts()).toHaveLength(50);
    void setup.session().loadOlder(setup.gateway.conversation);
    await advance(10);
    expect(setup.texts()).toHaveLength(121);
    expect(setup.session().room(setup.gateway.conversation)?.history.get().hasOlder).toBe(false);
  });

  test('that could not be read says so, and is read when asked again', async () => {
    setup.gateway.storeMessage('one');
    setup.gateway.isUp = false;
    void open();
    await advance(20);
    const history = () => setup.session().room(setup.gateway.conversation)?.history.get();
    expect(history()).toMatchObject({ status: 'failed', failure: { code: 'offline' } });
    setup.gateway.isUp = true;
    void open();
    await advance(20);
    expect(history()).toMatchObject({ status: 'ready' });
  });
});

test('a message for a conversation that nobody told of brings its row', async () => {
  setup.session().store.remove(setup.gateway.conversation);
  setup.gateway.storeMessage('out of nowhere');
  await advance(500);
  expect(row()).toMatchObject({ title: 'Tea', last_seq: 1 });
});
