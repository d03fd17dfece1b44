import { describe, expect, test, vi } from 'vitest';
import { advance } from './setup.ts';
import { setUpTabs } from './setupTabs.ts';

const setup = setUpTabs();

describe('a leader that is stopped, and not gone', () => {
  const sends = () =>
    setup.gateway.sockets.flatMap((socket) => socket.sent).filter((frame) => frame.type === 'message.send');

  async function stoppedLeader() {
    const one = await setup.openTab();
    const channel = setup.browser.channel();
    const [two, three] = [await setup.openTab(), await setup.openTab()];
    channel.pausedMessages = [];
    return { one, two, three, channel };
  }

  test('is replaced within seconds, and the others miss nothing', async () => {
    const { two, three } = await stoppedLeader();
    setup.gateway.storeMessage('meanwhile');
    await advance(6_500);
    expect(two.state.get().phase).toBe('online');
    setup.gateway.storeMessage('after');
    await advance(100);
    expect([setup.texts(two), setup.texts(three)]).toEqual(Array(2).fill(['meanwhile', 'after']));
    expect(setup.gateway.live.size).toBe(1);
  });

  test('yields when it goes on, and sees once what the others saw', async () => {
    const { one, two, channel } = await stoppedLeader();
    await advance(6_500);
    setup.gateway.storeMessage('meanwhile');
    await advance(100);
    channel.resume();
    await advance(100);
    expect(setup.leaders()).toHaveLength(1);
    expect(setup.leaders()).not.toContain(one);
    expect([setup.texts(one), setup.texts(two)]).toEqual(Array(2).fill(['meanwhile']));
    setup.gateway.storeMessage('after');
    await advance(100);
    expect([setup.texts(one), setup.texts(two)]).toEqual(Array(2).fill(['meanwhile', 'after']));
    expect(one.state.get().phase).toBe('online');
    expect(setup.gateway.live.size).toBe(1);
  });

  test('catches up with what neither its socket nor the others told it', async () => {
    const { one, channel } = await stoppedLeader();
    setup.gateway.last.onmessage = null;
    await advance(6_500);
    setup.gateway.storeMessage('meanwhile');
    await advance(100);
    channel.pausedMessages = [];
    channel.resume();
    await advance(200);
    expect(one.state.get().phase).toBe('online');
    expect(setup.texts(one)).toEqual(['meanwhile']);
  });

  test('leaves a message that was on its way to the next one, and it is stored once', async () => {
    const { two } = await stoppedLeader();
    setup.gateway.network = { delay: () => 3_000, copies: () => 1 };
    two.session.get()?.send(setup.gateway.conversation, { content: 'once' });
    await advance(30_000);
    expect(setup.gateway.messages.map((message) => message.content)).toEqual(['once']);
    expect(new Set(sends().map((frame) => frame.client_message_id)).size).toBe(1);
    expect(two.session.get()?.outbox.entries.get()).toEqual([]);
  });

  test('and one that answers is never replaced', async () => {
    await setup.openTab();
    for (let n = 0; n < 3; n += 1) await setup.openTab();
    await advance(120_000);
    expect(setup.gateway.sockets).toHaveLength(1);
  });

  test('leads again when the one that replaced it is gone', async () => {
    const { one, two, three, channel } = await stoppedLeader();
    await advance(6_500);
    channel.resume();
    await advance(100);
    for (const tab of [two, three]) tab.stop();
    await advance(200);
    expect(one.session.get()?.connection.isLeader).toBe(true);
    expect(one.state.get().phase).toBe('online');
  });

  test('that was stopped for long asks whether it leads before it tells of anything', async () => {
    const one = await setup.openTab();
    const notices: string[] = [];
    one.session.get()?.onMessageToNotify(({ message }) => notices.push(String(message.content)));
    const another = () => new Promise<void>(() => undefined);
    // The clock goes on while the page does not run. Then frames arrive before the message that another tab
    // leads.
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 60_000);
    void setup.browser.locks
      .request('another', leaderLock(), { steal: true }, another)
      .catch(() => undefined);
    setup.gateway.last.onmessage?.({ data: JSON.stringify(newMessage('told by another one already')) });
    await advance(50);
    expect(notices).toEqual([]);
    expect(one.session.get()?.connection.isLeader).toBe(false);
  });

  test('for long, but not replaced, tells what came when it has asked', async () => {
    const one = await setup.openTab();
    const notices: string[] = [];
    one.session.get()?.onMessageToNotify(({ message }) => notices.push(String(message.content)));
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 60_000);
    setup.gateway.storeMessage('one');
    setup.gateway.storeMessage('two');
    await advance(50);
    expect(notices).toEqual(['one', 'two']);
  });

  const leaderLock = () => 'messenger http://gateway.test/api/v1/messenger 1:leader';
  const newMessage = (content: string) => ({
    type: 'message.new',
    conversation_id: setup.gateway.conversation,
    pos: 2,
    data: {
      ...setup.gateway.row(),
      id: 'm1',
      seq: 1,
      pos: 2,
      version: 1,
      sender_id: 2,
      content,
      deleted_at: null,
    },
  });
});
