import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Messenger } from '../src/lib/core/messenger.ts';
import { installBrowser } from './browser.ts';
import { FakeGateway, token } from './gateway.ts';
import { pass } from './world.ts';

let gateway: FakeGateway;
let tabs: Messenger[];

async function openTab(): Promise<Messenger> {
  const tab = new Messenger('http://gateway.test', () => token());
  tab.start();
  tabs.push(tab);
  await pass(50);
  void tab.session.get()?.open(gateway.conversation);
  await pass(50);
  return tab;
}

const texts = (tab: Messenger) =>
  (tab.session.get()?.timeline(gateway.conversation)?.messages.get() ?? []).map((message) => message.content);
const leaders = () => tabs.filter((tab) => tab.session.get()?.line.leads);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  vi.stubGlobal('indexedDB', undefined);
  installBrowser();
  gateway = new FakeGateway();
  gateway.install();
  tabs = [];
});

afterEach(() => {
  for (const tab of tabs) tab.stop();
  vi.useRealTimers();
});

test('eight tabs have one socket, and all see the same', async () => {
  for (let n = 0; n < 8; n += 1) await openTab();
  gateway.say('hello, all');
  await pass(50);
  expect(gateway.sockets).toHaveLength(1);
  expect(tabs.map(texts)).toEqual(Array(8).fill(['hello, all']));
  expect(tabs.map((tab) => tab.state.get().phase)).toEqual(Array(8).fill('online'));
});

test('what one tab writes is seen in the others while it is still on its way', async () => {
  const [one, two] = [await openTab(), await openTab()];
  gateway.weather = { delay: () => 200, copies: () => 1 };
  two.session.get()?.send(gateway.conversation, { content: 'from the second' });
  await pass(10);
  expect(texts(one)).toEqual(['from the second']);
  expect(gateway.messages).toHaveLength(0);
  await pass(1_000);
  expect(gateway.messages).toHaveLength(1);
  expect([texts(one), texts(two)]).toEqual([['from the second'], ['from the second']]);
});

test('when the leader goes another one takes over, and nothing is missed', async () => {
  const [one, two, three] = [await openTab(), await openTab(), await openTab()];
  expect(leaders()).toEqual([one]);
  one.stop();
  gateway.say('meanwhile');
  await pass(200);
  expect(leaders()).toHaveLength(1);
  expect(gateway.live.size).toBe(1);
  gateway.say('after');
  await pass(50);
  expect([texts(two), texts(three)]).toEqual(Array(2).fill(['meanwhile', 'after']));
});

test('a leader that goes in mid-send leaves the sending to the next, and it is stored once', async () => {
  const [one, two] = [await openTab(), await openTab()];
  gateway.weather = { delay: () => 100, copies: () => 1 };
  for (const content of ['a', 'b', 'c']) two.session.get()?.send(gateway.conversation, { content });
  await pass(120);
  one.stop();
  await pass(5_000);
  expect(gateway.messages.map((message) => message.content)).toEqual(['a', 'b', 'c']);
  expect(texts(two)).toEqual(['a', 'b', 'c']);
});

test('a command of a tab that does not lead is answered, and a refusal is refused', async () => {
  const two = await openTab().then(openTab);
  const answer = await Promise.all([two.send({ type: 'ping' }), pass(50)]);
  expect(answer[0]).toMatchObject({ type: 'pong' });
  gateway.tellsPresence = false;
  const refused = two.send({ type: 'presence.watch', user_ids: [2] });
  await Promise.all([expect(refused).rejects.toMatchObject({ code: 'unavailable' }), pass(50)]);
  expect(two.lastError.get()).toMatchObject({ code: 'unavailable' });
});

test('what the tabs look at is told once, and taken back when the last of them has gone', async () => {
  const [one, two] = [await openTab(), await openTab()];
  const subscribes = (type: string) => gateway.last.sent.filter((frame) => frame.type === type);
  one.session.get()?.eyes.open(gateway.conversation);
  two.session.get()?.eyes.open(gateway.conversation);
  await pass(100);
  expect(subscribes('subscribe')).toHaveLength(1);
  two.stop();
  await pass(100);
  expect(subscribes('unsubscribe')).toHaveLength(0);
});

test('who can not be watched while presence is away is watched when it is back', async () => {
  gateway.tellsPresence = false;
  const one = await openTab();
  one.session.get()?.eyes.watch(2);
  await pass(100);
  expect(one.session.get()?.store.person(2).get()).toBeNull();
  expect(one.state.get().phase).toBe('online');
  gateway.tellsPresence = true;
  await pass(5_000);
  expect(one.session.get()?.store.person(2).get()).toMatchObject({ status: 'online' });
});
