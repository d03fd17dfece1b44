import { describe, expect, test } from 'vitest';
import { pass, world } from './world.ts';

const it = world();
const open = () => it.session().open(it.gateway.conversation);
const row = () => it.session().store.conversations.get()[0];
const resumes = () => it.gateway.sockets.flatMap((socket) => socket.sent).filter((f) => f.type === 'resume');

async function opened(...texts: string[]) {
  for (const text of texts) it.gateway.say(text);
  await pass(10);
  void open();
  await pass(50);
}

describe('live frames', () => {
  test('are shown in order, and count as unread', async () => {
    await opened('one', 'two');
    it.gateway.say('three');
    await pass(10);
    expect(it.texts()).toEqual(['one', 'two', 'three']);
    expect(row()).toMatchObject({ unread: 3, last_seq: 3 });
  });

  test('that come twice are shown once, and counted once', async () => {
    await opened('one');
    it.gateway.weather = { delay: () => 1, copies: () => 3 };
    it.gateway.say('two');
    await pass(10);
    expect(it.texts()).toEqual(['one', 'two']);
    expect(row()).toMatchObject({ unread: 2 });
  });

  test('behind a hole wait until what is missing was fetched', async () => {
    await opened('one');
    const before = resumes().length;
    it.gateway.weather = { delay: () => null, copies: () => 1 };
    it.gateway.say('lost');
    it.gateway.weather = { delay: () => 1, copies: () => 1 };
    it.gateway.say('after the hole');
    await pass(10);
    expect(it.texts()).toEqual(['one']);
    await pass(100);
    expect(it.texts()).toEqual(['one', 'lost', 'after the hole']);
    expect(resumes()).toHaveLength(before + 1);
  });

  test('that come during a replay follow on it', async () => {
    await opened('one');
    it.gateway.weather = { delay: () => null, copies: () => 1 };
    it.gateway.say('lost');
    it.gateway.weather = { delay: () => 1, copies: () => 1 };
    it.gateway.say('two');
    await pass(22); // the question has just gone out
    it.gateway.say('during');
    await pass(100);
    expect(it.texts()).toEqual(['one', 'lost', 'two', 'during']);
  });

  test('an edit never goes back to an older text', async () => {
    await opened('one');
    const old = it.gateway.messages[0];
    it.gateway.edit(1, 'changed');
    await pass(10);
    it.gateway.last.deliver({
      type: 'message.edited',
      conversation_id: it.gateway.conversation,
      pos: 2,
      replay: true,
      data: old,
    });
    await pass(10);
    expect(it.texts()).toEqual(['changed']);
  });
});

describe('after an absence', () => {
  test('what was missed is there, each once, edits too', async () => {
    await opened('one', 'two');
    it.gateway.last.end(1006);
    it.gateway.edit(1, 'ONE');
    it.gateway.say('three');
    it.gateway.edit(3, 'THREE');
    await pass(1_500);
    expect(it.texts()).toEqual(['ONE', 'two', 'THREE']);
    expect(row()).toMatchObject({ last_message: { content: 'THREE' } });
  });

  test('more than can be replayed is read again, without holes and with the edits of old ones', async () => {
    await opened(...Array.from({ length: 30 }, (_, n) => `early ${n + 1}`));
    it.gateway.resumeMax = 10;
    it.gateway.last.end(1006);
    it.gateway.edit(2, 'edited meanwhile');
    for (let n = 1; n <= 250; n += 1) it.gateway.say(`late ${n}`);
    await pass(2_000);
    const texts = it.texts();
    expect(texts).toHaveLength(280);
    expect(texts[1]).toBe('edited meanwhile');
    expect(texts.at(-1)).toBe('late 250');
  });

  test('a conversation that is gone meanwhile is gone', async () => {
    await opened('one');
    it.session().store.add({ ...it.gateway.row(), id: 'gone' });
    it.gateway.last.end(1006);
    await pass(1_500);
    expect(it.session().store.conversations.get()).toHaveLength(1);
  });

  test('what was read while nobody could be told is told then', async () => {
    await opened('one');
    it.gateway.last.end(1006);
    it.session().markRead(it.gateway.conversation);
    expect(row()).toMatchObject({ unread: 0, read_seq: 1 });
    await pass(1_500);
    expect(it.gateway.last.sent).toContainEqual(
      expect.objectContaining({ type: 'message.read', message_id: 'm1' }),
    );
  });
});

describe('history', () => {
  test('is read page by page, and what comes live in between is not lost', async () => {
    for (let n = 1; n <= 120; n += 1) it.gateway.say(`message ${n}`);
    await pass(10);
    void open();
    it.gateway.say('while loading');
    await pass(50);
    expect(it.texts()).toHaveLength(50);
    void it.session().older(it.gateway.conversation);
    await pass(10);
    expect(it.texts()).toHaveLength(121);
    expect(it.session().room(it.gateway.conversation)?.history.get().hasOlder).toBe(false);
  });

  test('that could not be read says so, and is read when asked again', async () => {
    it.gateway.say('one');
    it.gateway.isUp = false;
    void open();
    await pass(20);
    const history = () => it.session().room(it.gateway.conversation)?.history.get();
    expect(history()).toMatchObject({ status: 'failed', failure: { code: 'offline' } });
    it.gateway.isUp = true;
    void open();
    await pass(20);
    expect(history()).toMatchObject({ status: 'ready' });
  });
});

test('a message for a conversation that nobody told of brings its row', async () => {
  it.session().store.remove(it.gateway.conversation);
  it.gateway.say('out of nowhere');
  await pass(500);
  expect(row()).toMatchObject({ title: 'Tea', last_seq: 1 });
});
