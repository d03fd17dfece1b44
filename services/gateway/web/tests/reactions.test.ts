import { describe, expect, test } from 'vitest';
import { advance, setUpMessenger } from './setup.ts';

const setup = setUpMessenger();
const [THUMB, HEART] = ['👍', '❤️'];
const others = (...ids: number[]) => ids.map((user_id) => ({ user_id, emoji: THUMB, on: true }));
const room = () => setup.session().room(setup.gateway.conversation);
const reactions = (id = 'm1') => room()?.reactions.of(id).get().reactions ?? [];
const shown = (id = 'm1') =>
  reactions(id).map(({ emoji, count, mine }) => `${emoji}${count}${mine ? ' mine' : ''}`);
const failure = () => room()?.reactions.of('m1').get().failure?.code ?? null;
const sent = () =>
  setup.gateway.sockets.flatMap((socket) => socket.sent).filter((f) => f.type === 'reaction.set');
const pages = () => setup.gateway.calls.filter((call) => call.includes('/messages?'));

async function open(): Promise<void> {
  setup.session().view.open(setup.gateway.conversation);
  void setup.session().open(setup.gateway.conversation);
  await advance(100);
}

async function openWith(messages: number): Promise<void> {
  for (let n = 1; n <= messages; n += 1) setup.gateway.storeMessage(`message ${n}`);
  await advance(10);
  await open();
}

function react(emoji: string, on: boolean): void {
  const found = room();
  if (found) setup.session().reacting.set(found, 'm1', emoji, on);
}

async function interrupt(meanwhile: () => void): Promise<void> {
  setup.gateway.isUp = false;
  setup.gateway.last.end(1006);
  await advance(10);
  meanwhile();
  setup.gateway.isUp = true;
  await advance(6_000);
}

describe('reactions of others', () => {
  test('come with history, and change by events', async () => {
    setup.gateway.storeMessage('hello');
    setup.gateway.marks.react('m1', others(2, 1));
    await open();
    expect(shown()).toEqual(['👍2 mine']);
    setup.gateway.marks.react('m1', [{ user_id: 3, emoji: HEART, on: true }]);
    await advance(10);
    expect(shown()).toEqual(['👍2 mine', '❤️1']);
  });

  test('to a message that is not loaded are ignored, and come with it', async () => {
    await openWith(60);
    setup.gateway.marks.react('m1', others(2));
    await advance(10);
    expect(shown()).toEqual([]);
    void setup.session().loadOlder(setup.gateway.conversation);
    await advance(10);
    expect(shown()).toEqual(['👍1']);
  });

  test('that come while a page is on its way are not undone by it', async () => {
    await openWith(60);
    setup.gateway.marks.react('m1', others(2, 3, 4, 5));
    await advance(10);
    const read = setup.gateway.marks.read.bind(setup.gateway.marks);
    const earlier = {
      ...setup.gateway.messages[0],
      reactions: [{ emoji: THUMB, count: 1, user_ids: [2], mine: false }],
    };
    setup.gateway.marks.read = (message) => (message.id === 'm1' ? (earlier as never) : read(message));
    void setup.session().loadOlder(setup.gateway.conversation);
    setup.gateway.marks.react('m1', others(6));
    await advance(20);
    expect(shown()).toEqual(['👍5']);
  });

  test('end with the message', async () => {
    await openWith(1);
    setup.gateway.marks.react('m1', others(2));
    await advance(10);
    const deleted_at = new Date().toISOString();
    const pos = setup.gateway.nextPos();
    const data = { ...setup.gateway.messages[0], content: null, deleted_at, pos };
    const conversation_id = setup.gateway.conversation;
    setup.gateway.publish({ type: 'message.deleted', conversation_id, message_id: 'm1', pos, data });
    await advance(10);
    expect(shown()).toEqual([]);
  });
});

describe('whether a reaction is mine', () => {
  test('is known among many from changes, also of another device', async () => {
    await openWith(1);
    setup.gateway.marks.react('m1', others(2, 3, 4, 5));
    setup.gateway.marks.react('m1', others(1));
    await advance(10);
    expect(shown()).toEqual(['👍5 mine']);
    setup.gateway.marks.react('m1', others(6));
    await advance(10);
    expect(shown()).toEqual(['👍6 mine']);
    setup.gateway.marks.react('m1', [{ user_id: 1, emoji: THUMB, on: false }]);
    await advance(10);
    expect(shown()).toEqual(['👍5']);
  });

  test('is read again after a replay that does not tell, by one request for one message', async () => {
    await openWith(3);
    setup.gateway.marks.react('m1', others(2, 3, 4, 5));
    await advance(10);
    const before = pages().length;
    await interrupt(() => setup.gateway.marks.react('m1', others(1)));
    expect(shown()).toEqual(['👍5 mine']);
    expect(pages().slice(before)).toEqual([expect.stringContaining('limit=1&after_seq=0')]);
  });

  test('needs no request after a replay that names everybody', async () => {
    await openWith(3);
    const before = pages().length;
    await interrupt(() => setup.gateway.marks.react('m1', others(2, 1)));
    expect(shown()).toEqual(['👍2 mine']);
    expect(pages()).toHaveLength(before);
  });

  test('is read once a storm is over that names only the last fifty changes', async () => {
    await openWith(1);
    const before = pages().length;
    for (let wave = 0; wave < 8; wave += 1) {
      const many = Array.from({ length: 60 }, (_, at) => ({
        user_id: 100 + wave * 60 + at,
        emoji: THUMB,
        on: true,
      }));
      const all = wave === 3 ? [...others(1), ...many] : many;
      setup.gateway.marks.react('m1', all, all.slice(-50));
      await advance(250);
    }
    expect(pages()).toHaveLength(before);
    await advance(4_000);
    expect(shown()).toEqual(['👍481 mine']);
    expect(pages()).toHaveLength(before + 1);
  });
});

describe('a reaction of the user', () => {
  test('is visible at once, and one command', async () => {
    await openWith(1);
    react(THUMB, true);
    expect(shown()).toEqual(['👍1 mine']);
    await advance(50);
    expect(shown()).toEqual(['👍1 mine']);
    expect(sent()).toHaveLength(1);
    expect(setup.gateway.marks.mine('m1')).toEqual([THUMB]);
  });

  test('settles to the last wish after quick presses', async () => {
    await openWith(1);
    setup.gateway.network = { delay: () => 100, copies: () => 1 };
    for (const on of [true, false, true, false]) react(THUMB, on);
    expect(shown()).toEqual([]);
    await advance(1_000);
    expect(shown()).toEqual([]);
    expect(setup.gateway.marks.mine('m1')).toEqual([]);
    expect(sent().map((frame) => frame.on)).toEqual([true, false]);
  });

  test('is taken back when it is refused, and says why', async () => {
    await openWith(1);
    setup.gateway.marks.react('m1', others(2));
    await advance(10);
    setup.gateway.refusalOf = () => ({
      type: 'error',
      message: '',
      code: 'reaction_limit',
      retryable: false,
    });
    react(HEART, true);
    expect(shown()).toEqual(['👍1', '❤️1 mine']);
    await advance(50);
    expect(shown()).toEqual(['👍1']);
    expect(failure()).toBe('reaction_limit');
    setup.gateway.refusalOf = () => null;
    react(THUMB, true);
    expect(failure()).toBeNull();
  });

  test('waits for the connection, and two presses while offline send nothing', async () => {
    await openWith(1);
    await interrupt(() => {
      react(THUMB, true);
      react(HEART, true);
      react(HEART, false);
      expect(shown()).toEqual(['👍1 mine']);
    });
    expect(setup.gateway.marks.mine('m1')).toEqual([THUMB]);
    expect(sent().map((frame) => frame.emoji)).toEqual([THUMB]);
  });

  test('is sent again without an answer, and after the gateway asked to wait', async () => {
    await openWith(1);
    let isBusy = true;
    setup.gateway.refusalOf = () =>
      isBusy
        ? { type: 'error', message: '', code: 'overloaded', retryable: true, retry_after_ms: 500 }
        : null;
    react(THUMB, true);
    await advance(200);
    isBusy = false;
    expect(shown()).toEqual(['👍1 mine']);
    await advance(3_000);
    expect(setup.gateway.marks.mine('m1')).toEqual([THUMB]);
    expect(failure()).toBeNull();
  });

  test('is the same with and without the variation selector', async () => {
    await openWith(1);
    setup.gateway.marks.react('m1', [{ user_id: 2, emoji: HEART, on: true }]);
    await advance(10);
    react('❤', true);
    expect(shown()).toEqual(['❤️2 mine']);
  });

  test('at most a hundred wait', async () => {
    await openWith(1);
    setup.gateway.isUp = false;
    setup.gateway.last.end(1006);
    await advance(10);
    for (let n = 0; n <= 100; n += 1) react(String.fromCodePoint(0x1f600 + n), true);
    expect(shown()).toHaveLength(100);
    expect(failure()).toBe('offline');
  });
});
