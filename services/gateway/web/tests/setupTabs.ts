/** Opens several tabs of one browser over a gateway in memory, on a clock that moves only when a test moves it. */

import { afterEach, beforeEach, vi } from 'vitest';
import { Messenger } from '../src/lib/core/messenger.ts';
import { type FakeBrowser, installBrowser } from './fakeBrowser.ts';
import { FakeGateway, token } from './fakeGateway.ts';
import { advance } from './setup.ts';

export interface TabsSetup {
  gateway: FakeGateway;
  browser: FakeBrowser;
  tabs: Messenger[];
  openTab: () => Promise<Messenger>;
  texts: (tab: Messenger) => (string | null)[];
  leaders: () => Messenger[];
}

export function setUpTabs(): TabsSetup {
  const setup = {} as TabsSetup;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
    vi.stubGlobal('indexedDB', undefined);
    setup.browser = installBrowser();
    setup.gateway = new FakeGateway();
    setup.gateway.install();
    setup.tabs = [];
  });
  afterEach(() => {
    for (const tab of setup.tabs) tab.stop();
    vi.useRealTimers();
  });
  setup.openTab = async () => {
    setup.browser.actAsTab(`tab ${setup.tabs.length}`);
    const tab = new Messenger('http://gateway.test', () => token());
    tab.start();
    setup.tabs.push(tab);
    await advance(50);
    void tab.session.get()?.open(setup.gateway.conversation);
    await advance(50);
    return tab;
  };
  setup.texts = (tab) =>
    (tab.session.get()?.timeline(setup.gateway.conversation)?.messages.get() ?? []).map(
      (message) => message.content,
    );
  setup.leaders = () => setup.tabs.filter((tab) => tab.session.get()?.connection.isLeader);
  return setup;
}
