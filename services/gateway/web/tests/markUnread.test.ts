import { describe, expect, test } from 'vitest';
import { isNotes } from '../src/client/parts/conversationTitle.ts';
import { messageActions } from '../src/client/thread/messageActions.ts';
import type { ConversationRow, Message } from '../src/lib/core/contract/wire.ts';
import type { ChatMessage } from '../src/lib/index.ts';
import { advance, setUpMessenger } from './setup.ts';

const setup = setUpMessenger();
const id = () => setup.gateway.conversation;
const row = () => setup.session().store.conversations.get()[0] as ConversationRow;
const room = () => setup.session().store.rooms.get(id());

async function openWith(count: number) {
  for (let n = 1; n <= count; n += 1) setup.gateway.storeMessage(`${n}`);
  await advance(10);
  void setup.session().open(id());
  await advance(50);
  setup.session().markRead(id());
  await advance(50);
}

async function unreadUpdated(unread: number, marked: number | null, read = setup.gateway.messages.length) {
  setup.gateway.last.deliver({
    type: 'unread.updated',
    conversation_id: id(),
    unread,
    read_seq: read,
    last_seq: setup.gateway.messages.length,
    marked_unread_from: marked,
  });
  await advance(10);
}

const reads = () => setup.gateway.last.sent.filter((frame) => frame.type === 'message.read').length;

describe('a mark as unread', () => {
  test('that another device sets is shown, and others count from there', async () => {
    await openWith(3);
    await unreadUpdated(2, 2);
    expect(row()).toMatchObject({ unread: 2, marked_unread_from: 2, read_seq: 3 });
    setup.gateway.storeMessage('four');
    await advance(10);
    expect(row()).toMatchObject({ unread: 3, marked_unread_from: 2, read_seq: 3 });
  });

  test('goes when the user reads, though nothing is new, and that is said', async () => {
    await openWith(3);
    await unreadUpdated(2, 2);
    const before = reads();
    setup.session().markRead(id());
    await advance(10);
    expect(row()).toMatchObject({ unread: 0, marked_unread_from: null, read_seq: 3 });
    expect(reads()).toBe(before + 1);
    setup.session().markRead(id());
    await advance(10);
    expect(reads()).toBe(before + 1);
  });

  test('goes when the user writes', async () => {
    await openWith(2);
    await unreadUpdated(1, 2);
    setup.gateway.storeMessage('mine', 1);
    await advance(10);
    expect(row()).toMatchObject({ unread: 0, marked_unread_from: null, read_seq: 3 });
  });

  test('is no older one than that which is set after it: an answer to a read leaves it', async () => {
    await openWith(2);
    await unreadUpdated(1, 2);
    const answer = {
      read_seq: 2,
      unread: 0,
      conversation_id: id(),
      message_id: setup.gateway.messages[1]?.id,
    };
    setup.gateway.last.deliver({ type: 'read.confirmed', ...answer });
    await advance(10);
    expect(row()).toMatchObject({ unread: 1, marked_unread_from: 2 });
    await unreadUpdated(0, null);
    expect(row()).toMatchObject({ unread: 0, marked_unread_from: null });
  });

  test('is asked for over REST, by the message', async () => {
    await openWith(2);
    const asked = setup.session().actions.markUnread(setup.gateway.messages[1] as Message);
    await advance(10);
    await asked;
    expect(setup.gateway.calls.at(-1)).toBe(`PUT /conversations/${id()}/read`);
    expect(setup.gateway.markedUnreadFrom).toBe(2);
  });

  test('that is lifted by a deletion counts down from where it begins', async () => {
    await openWith(3);
    await unreadUpdated(2, 2);
    const gone = {
      ...(setup.gateway.messages[0] as Message),
      content: null,
      deleted_at: '2025-01-01T00:00:00Z',
    };
    for (const [message, unread] of [
      [gone, 2],
      [{ ...gone, ...setup.gateway.messages[2], content: null, deleted_at: gone.deleted_at }, 1],
    ] as const) {
      setup.gateway.pos += 1;
      const data = { ...message, pos: setup.gateway.pos };
      const named = { conversation_id: id(), message_id: data.id, pos: data.pos };
      setup.gateway.last.deliver({ type: 'message.deleted', ...named, data });
      await advance(10);
      expect(row().unread).toBe(unread);
    }
  });
});

test('many who join at once are one change, and keep when they came', async () => {
  await openWith(1);
  const since = '2025-01-01T00:00:00Z';
  room()?.participants.set([{ user_id: 1, role: 'admin', joined_at: since }]);
  setup.gateway.pos += 1;
  const users = [
    { user_id: 5, role: 'member' },
    { user_id: 1, role: 'admin' },
    { user_id: 3, role: 'observer' },
  ];
  setup.gateway.last.deliver({
    type: 'participant.added',
    conversation_id: id(),
    pos: setup.gateway.pos,
    users,
  });
  await advance(10);
  const members = room()?.participants.get() ?? [];
  expect(members.map((each) => [each.user_id, each.role])).toEqual([
    [1, 'admin'],
    [3, 'observer'],
    [5, 'member'],
  ]);
  expect(members[0]?.joined_at).toBe(since);
  expect(room()?.pos).toBe(setup.gateway.pos);
  expect(row().participants_count).toBe(3);
});

describe('what can be done with a message', () => {
  const message = {
    seq: 1,
    deleted_at: null,
    content: 'x',
    isMine: true,
    message_type: 'text',
  } as ChatMessage;
  const direct = { type: 'direct', participants_count: 2 } as ConversationRow;
  const notes = { ...direct, participants_count: 1 };

  test('it can be marked as unread; of notes to self there are no readers', () => {
    expect(messageActions(message, direct, 'member')).toEqual([
      'reply',
      'copy',
      'readers',
      'unread',
      'edit',
      'delete',
    ]);
    expect(messageActions(message, notes, 'member')).toEqual(['reply', 'copy', 'unread', 'edit', 'delete']);
    expect([isNotes(direct), isNotes(notes), isNotes({ ...notes, type: 'group' })]).toEqual([
      false,
      true,
      false,
    ]);
  });

  test('a file of mine may get another text', () => {
    const file = {
      ...message,
      content: '',
      message_type: 'file',
      file_url: 'https://example.org/a',
    } as ChatMessage;
    expect(messageActions(file, direct, 'member')).toContain('edit');
    expect(messageActions({ ...file, isMine: false }, direct, 'member')).not.toContain('edit');
  });
});
