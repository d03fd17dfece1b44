/** Starts a messenger over a gateway in memory, on a clock that moves only when a test moves it. */

import { afterEach, beforeEach, vi } from 'vitest';
import type { MessengerOptions } from '../src/lib/core/index.ts';
import { Messenger } from '../src/lib/core/messenger.ts';
import type { Session } from '../src/lib/core/session.ts';
import { FakeGateway, token } from './fakeGateway.ts';

export interface MessengerSetup {
  gateway: FakeGateway;
  messenger: Messenger;
  /** The `fresh` argument of each request for a token. */
  tokenRequests: boolean[];
  session: () => Session;
  texts: () => (string | null)[];
  statuses: () => string[];
  /** Ends the page without warning, and opens another page of the same browser. */
  reload: () => Promise<void>;
}

// The start of a second. A token gives its end in whole seconds, so it would otherwise live up to a second
// less.
const START = Date.UTC(2026, 10, 24);

export function setUpMessenger(options: MessengerOptions = {}): MessengerSetup {
  const setup = { tokenRequests: [] as boolean[] } as MessengerSetup;
  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'], now: START });
    vi.stubGlobal('indexedDB', undefined);
    setup.tokenRequests.length = 0;
    setup.gateway = new FakeGateway();
    setup.gateway.install();
    setup.messenger = startMessenger(setup, options);
    await advance(50);
  });
  afterEach(() => {
    setup.messenger.stop();
    vi.useRealTimers();
  });
  setup.session = () => setup.messenger.session.get() as Session;
  const shown = () => setup.session().timeline(setup.gateway.conversation)?.messages.get() ?? [];
  setup.texts = () => shown().map((message) => message.content);
  setup.statuses = () => shown().map((message) => message.status);
  setup.reload = async () => {
    setup.messenger.stop();
    setup.messenger = startMessenger(setup, options);
    await advance(50);
  };
  return setup;
}

function startMessenger(setup: MessengerSetup, options: MessengerOptions): Messenger {
  let salt = 0;
  const getToken = ({ fresh }: { fresh: boolean }) => {
    setup.tokenRequests.push(fresh);
    salt += 1;
    return token(3600, salt);
  };
  const messenger = new Messenger('http://gateway.test', getToken, options);
  messenger.start();
  return messenger;
}

/** Moves the clock on, and runs everything that is due. */
export const advance = (millis: number) => vi.advanceTimersByTimeAsync(millis);
