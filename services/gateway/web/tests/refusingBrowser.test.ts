import { describe, expect, test, vi } from 'vitest';
import { Messenger } from '../src/lib/core/messenger.ts';
import { token } from './fakeGateway.ts';
import { advance } from './setup.ts';
import { setUpTabs } from './setupTabs.ts';

const setup = setUpTabs();

describe('a browser that refuses', () => {
  const refuse = (locks: object) => vi.stubGlobal('navigator', { locks });
  const denied = () => Promise.reject(new DOMException('Access to the Locks API is denied', 'SecurityError'));
  const thrown = () => {
    throw new DOMException('The document is sandboxed', 'SecurityError');
  };

  async function twoTabs() {
    const open = async () => {
      const tab = new Messenger('http://gateway.test', () => token());
      setup.tabs.push(tab);
      tab.start();
      await advance(50);
      void tab.session.get()?.open(setup.gateway.conversation);
      await advance(50);
    };
    await open();
    await open();
  }

  const bothWork = async () => {
    expect(setup.tabs.map((tab) => tab.state.get().phase)).toEqual(['online', 'online']);
    setup.tabs[1]?.session.get()?.send(setup.gateway.conversation, { content: 'from the second' });
    setup.gateway.storeMessage('to both');
    await advance(100);
    for (const tab of setup.tabs)
      expect([...setup.texts(tab)].sort()).toEqual(['from the second', 'to both']);
    expect(setup.gateway.sockets).toHaveLength(2);
  };

  test.each([
    ['locks', () => refuse({ request: denied, query: denied })],
    ['locks, by throwing', () => refuse({ request: thrown, query: thrown })],
    ['to have locks', () => vi.stubGlobal('navigator', {})],
    [
      'to show its locks',
      () => vi.stubGlobal('navigator', Object.defineProperty({}, 'locks', { get: thrown })),
    ],
    ['to have channels', () => vi.stubGlobal('BroadcastChannel', undefined)],
    [
      'channels, by throwing',
      () =>
        vi.stubGlobal(
          'BroadcastChannel',
          class {
            constructor() {
              thrown();
            }
          },
        ),
    ],
  ])('%s lets each tab lead itself', async (_, refusal) => {
    refusal();
    await twoTabs();
    await bothWork();
  });

  test('to answer for a lock lets each tab lead itself after a while', async () => {
    refuse({ request: () => new Promise(() => undefined), query: () => new Promise(() => undefined) });
    await twoTabs();
    await advance(12_000);
    await bothWork();
  });

  test('to let tabs hear each other does not make them take the lead from each other for ever', async () => {
    vi.stubGlobal(
      'BroadcastChannel',
      class {
        postMessage = thrown;
        close() {}
      },
    );
    for (let n = 0; n < 2; n += 1) await setup.openTab();
    await advance(30_000);
    const before = setup.gateway.sockets.length;
    await advance(120_000);
    expect(setup.gateway.sockets).toHaveLength(before);
    expect(setup.tabs.map((tab) => tab.state.get().phase)).toEqual(['online', 'online']);
  });

  test('local storage keeps what is typed as long as the page lives', async () => {
    vi.stubGlobal('localStorage', undefined);
    const one = await setup.openTab();
    one.session.get()?.drafts.set(setup.gateway.conversation, 'typed');
    expect(one.session.get()?.drafts.of(setup.gateway.conversation).get()).toBe('typed');
  });
});
