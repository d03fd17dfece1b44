import { expect, test } from 'vitest';
import { advance } from './setup.ts';
import { setUpTabs } from './setupTabs.ts';

const setup = setUpTabs();

test('eight tabs have one socket, and all see the same', async () => {
  for (let n = 0; n < 8; n += 1) await setup.openTab();
  setup.gateway.storeMessage('hello, all');
  await advance(50);
  expect(setup.gateway.sockets).toHaveLength(1);
  expect(setup.tabs.map(setup.texts)).toEqual(Array(8).fill(['hello, all']));
  expect(setup.tabs.map((tab) => tab.state.get().phase)).toEqual(Array(8).fill('online'));
});

test('what one tab writes is seen in the others while it is still on its way', async () => {
  const [one, two] = [await setup.openTab(), await setup.openTab()];
  setup.gateway.network = { delay: () => 200, copies: () => 1 };
  two.session.get()?.send(setup.gateway.conversation, { content: 'from the second' });
  await advance(10);
  expect(setup.texts(one)).toEqual(['from the second']);
  expect(setup.gateway.messages).toHaveLength(0);
  await advance(1_000);
  expect(setup.gateway.messages).toHaveLength(1);
  expect([setup.texts(one), setup.texts(two)]).toEqual([['from the second'], ['from the second']]);
});

test('when the leader goes another one takes over, and nothing is missed', async () => {
  const [one, two, three] = [await setup.openTab(), await setup.openTab(), await setup.openTab()];
  expect(setup.leaders()).toEqual([one]);
  one.stop();
  setup.gateway.storeMessage('meanwhile');
  await advance(200);
  expect(setup.leaders()).toHaveLength(1);
  expect(setup.gateway.live.size).toBe(1);
  setup.gateway.storeMessage('after');
  await advance(50);
  expect([setup.texts(two), setup.texts(three)]).toEqual(Array(2).fill(['meanwhile', 'after']));
});

test('a leader that goes in mid-send leaves the sending to the next, and it is stored once', async () => {
  const [one, two] = [await setup.openTab(), await setup.openTab()];
  setup.gateway.network = { delay: () => 100, copies: () => 1 };
  for (const content of ['a', 'b', 'c']) two.session.get()?.send(setup.gateway.conversation, { content });
  await advance(120);
  one.stop();
  await advance(5_000);
  expect(setup.gateway.messages.map((message) => message.content)).toEqual(['a', 'b', 'c']);
  expect(setup.texts(two)).toEqual(['a', 'b', 'c']);
});

test('a command of a tab that does not lead is answered, and a refusal is refused', async () => {
  const two = await setup.openTab().then(setup.openTab);
  const answer = await Promise.all([two.send({ type: 'ping' }), advance(50)]);
  expect(answer[0]).toMatchObject({ type: 'pong' });
  setup.gateway.isPresenceAvailable = false;
  const refused = two.send({ type: 'presence.watch', user_ids: [2] });
  await Promise.all([expect(refused).rejects.toMatchObject({ code: 'unavailable' }), advance(50)]);
  expect(two.lastError.get()).toMatchObject({ code: 'unavailable' });
});

test('what the tabs look at is told once, and taken back when the last of them has gone', async () => {
  const [one, two] = [await setup.openTab(), await setup.openTab()];
  const subscribes = (type: string) => setup.gateway.last.sent.filter((frame) => frame.type === type);
  one.session.get()?.view.open(setup.gateway.conversation);
  two.session.get()?.view.open(setup.gateway.conversation);
  await advance(100);
  expect(subscribes('subscribe')).toHaveLength(1);
  two.stop();
  await advance(100);
  expect(subscribes('unsubscribe')).toHaveLength(0);
});

test('who can not be watched while presence is away is watched when it is back', async () => {
  setup.gateway.isPresenceAvailable = false;
  const one = await setup.openTab();
  one.session.get()?.view.watch(2);
  await advance(100);
  expect(one.session.get()?.store.presenceOf(2).get()).toBeNull();
  expect(one.state.get().phase).toBe('online');
  setup.gateway.isPresenceAvailable = true;
  await advance(5_000);
  expect(one.session.get()?.store.presenceOf(2).get()).toMatchObject({ status: 'online' });
});
