import { beforeEach, describe, expect, test } from 'vitest';
import { expectedMentions } from '../src/lib/core/contract/mentions.ts';
import type { ConversationRow, MentionsRequest, Message } from '../src/lib/core/contract/wire.ts';
import { MentionList } from '../src/lib/core/conversations/mentionList.ts';
import type { FakeGateway } from './fakeGateway.ts';
import { advance, setUpMessenger } from './setup.ts';

const setup = setUpMessenger();
const id = () => setup.gateway.conversation;
const row = () => setup.session().store.conversations.get()[0] as ConversationRow;
const ENTITY = { type: 'mention', user_id: 2, offset: 3, length: 2 } as const;

/** Another user's message that mentions the own user, or all. */
function mention(
  gateway: FakeGateway,
  content: string,
  mentions: MentionsRequest = { user_ids: [1] },
): Message {
  return gateway.storeMessage(content, 2, null, { mentions: { user_ids: [], all: false, ...mentions } });
}

describe('unread mentions', () => {
  beforeEach(async () => {
    void setup.session().open(id());
    await advance(50);
  });

  test('are those of the own user and of all, in the messages of others', async () => {
    mention(setup.gateway, 'one');
    mention(setup.gateway, 'two', { all: true });
    mention(setup.gateway, 'three', { user_ids: [3] });
    setup.gateway.storeMessage('four');
    await advance(10);
    expect(row()).toMatchObject({ unread: 4, unread_mentions: 2 });
    setup.session().markRead(id());
    expect(row()).toMatchObject({ unread: 0, unread_mentions: 0 });
  });

  test('go when an edit or a deletion takes them away, and the gateway tells of those that an edit adds', async () => {
    mention(setup.gateway, 'one');
    mention(setup.gateway, 'two');
    setup.gateway.storeMessage('three');
    await advance(10);
    setup.gateway.edit(1, 'nobody', { mentions: { user_ids: [], all: false } });
    await advance(10);
    expect(row()).toMatchObject({ unread: 3, unread_mentions: 1 });
    setup.gateway.edit(3, 'you', { mentions: { user_ids: [1], all: false } });
    const counters = { unread: 3, unread_mentions: 2, read_seq: 0, last_seq: 3, marked_unread_from: null };
    setup.gateway.last.deliver({ type: 'unread.updated', conversation_id: id(), ...counters });
    await advance(10);
    expect(row()).toMatchObject({ unread: 3, unread_mentions: 2 });
    setup.gateway.delete(2);
    await advance(10);
    expect(row()).toMatchObject({ unread: 2, unread_mentions: 1 });
  });

  test('are counted anew when a message changes that is not loaded', async () => {
    for (let n = 0; n < 60; n += 1) mention(setup.gateway, `${n}`);
    await setup.reload();
    void setup.session().open(id());
    await advance(50);
    expect(row()).toMatchObject({ unread_mentions: 60 });
    setup.gateway.edit(1, 'nobody', { mentions: { user_ids: [], all: false } });
    await advance(300);
    expect(row()).toMatchObject({ unread_mentions: 59 });
  });

  test('are found one after the other, also those that are not loaded', async () => {
    for (let n = 1; n <= 130; n += 1) {
      if ([4, 100, 120].includes(n)) mention(setup.gateway, `${n}`);
      else setup.gateway.storeMessage(`${n}`);
    }
    const room = () => setup.session().room(id());
    const unread = async () => {
      const found = setup.session().mentions.find(room() as NonNullable<ReturnType<typeof room>>);
      await advance(20);
      return (await found).map((message) => message.seq);
    };
    await advance(10);
    expect(await unread()).toEqual([4, 100, 120]);
    expect(setup.gateway.calls.some((call) => call.includes('/mentions'))).toBe(false);
    await setup.reload();
    void setup.session().open(id());
    await advance(50);
    expect(await unread()).toEqual([4, 100, 120]);
    expect(setup.gateway.calls.filter((call) => call.includes('/mentions'))).toHaveLength(1);
  });
});

describe('an unsent message', () => {
  test('has its mentions at once, and when it has failed', async () => {
    const mentions = { mentions: { all: true }, entities: [ENTITY] };
    setup.gateway.isIgnored = (frame) => frame.type === 'message.send';
    setup.session().send(id(), { content: 'hi @b', ...mentions });
    const shown = () => setup.session().timeline(id())?.messages.get().at(-1);
    const expected = { entities: [ENTITY], mentions: { user_ids: [2], all: true } };
    expect(shown()).toMatchObject({ status: 'sending', ...expected });
    await advance(10);
    const refusal = { type: 'error', message: 'refused', code: 'mention_all_refused', retryable: false };
    setup.gateway.isIgnored = () => false;
    setup.gateway.refusalOf = (frame) => (frame.type === 'message.send' ? refusal : null);
    await advance(15_000);
    expect(shown()).toMatchObject({
      status: 'failed',
      failure: { code: 'mention_all_refused' },
      ...expected,
    });
    expect(setup.gateway.last.sent.find((frame) => frame.type === 'message.send')).toMatchObject(mentions);
  });

  test('without mentions has no such fields', () => {
    expect(expectedMentions({})).toBeNull();
    expect(expectedMentions({ mentions: { all: false, user_ids: [] }, entities: [] })).toBeNull();
    setup.session().send(id(), { content: 'hi' });
    expect(setup.session().timeline(id())?.messages.get().at(-1)).not.toHaveProperty('mentions');
  });

  test('keeps the places of its mentions where text is repaired', () => {
    setup.session().send(id(), { content: '\0a\ud800@b', entities: [{ ...ENTITY, offset: 3, length: 2 }] });
    const entry = setup.session().outbox.entries.get()[0];
    expect(entry).toMatchObject({ content: 'a\ufffd@b', entities: [{ offset: 2, length: 2 }] });
  });
});

test('the list of mentions is read in pages and follows events', async () => {
  for (let n = 1; n <= 70; n += 1) mention(setup.gateway, `${n}`);
  const list = new MentionList(setup.session().mentions, setup.session().connection, 1);
  const texts = () => list.state.get().messages.map((message) => message.content);
  list.start();
  await advance(10);
  expect(list.state.get()).toMatchObject({ status: 'ready', hasMore: true });
  expect(texts()).toHaveLength(50);
  list.loadMore();
  await advance(10);
  expect(list.state.get().hasMore).toBe(false);
  mention(setup.gateway, 'new', { all: true });
  setup.gateway.storeMessage('another');
  setup.gateway.edit(70, 'edited', {});
  setup.gateway.delete(69);
  await advance(10);
  expect(texts().slice(0, 3)).toEqual(['new', 'edited', '68']);
  expect(texts()).toHaveLength(70);
  list.stop();
});

describe('settings', () => {
  test.each([
    ['all', ['nobody', 'me', 'all']],
    ['mentions', ['me', 'all']],
    ['none', []],
  ] as const)('notify of %s', async (notify, expected) => {
    const heard: (string | null)[] = [];
    setup.session().onMessageToNotify(({ message }) => heard.push(message.content));
    const data = { muted: false, muted_until: null, push_enabled: true, email_enabled: true, notify };
    setup.gateway.last.deliver({ type: 'settings.updated', conversation_id: id(), data });
    await advance(10);
    setup.gateway.storeMessage('nobody');
    mention(setup.gateway, 'me');
    mention(setup.gateway, 'all', { all: true });
    await advance(10);
    expect(heard).toEqual(expected);
  });
});
