/** Owns a started messenger over a gateway in memory, on a clock that only moves when it is told to. */

import { afterEach, beforeEach, vi } from 'vitest';
import type { MessengerOptions } from '../src/lib/core/index.ts';
import { Messenger } from '../src/lib/core/messenger.ts';
import type { Session } from '../src/lib/core/session.ts';
import { FakeGateway, token } from './gateway.ts';

export interface World {
  gateway: FakeGateway;
  messenger: Messenger;
  /** How often a token was asked for. */
  asked: boolean[];
  session: () => Session;
  texts: () => (string | null)[];
  statuses: () => string[];
  /** Another page of the same browser; the first one is gone without a word. */
  reload: () => Promise<void>;
}

// At the start of a second: a token says its end in whole ones, and would else live up to a second less.
const NOW = Date.UTC(2026, 10, 24);

export function world(options: MessengerOptions = {}): World {
  const made = { asked: [] as boolean[] } as World;
  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: NOW });
    vi.stubGlobal('indexedDB', undefined);
    made.asked.length = 0;
    made.gateway = new FakeGateway();
    made.gateway.install();
    made.messenger = start(made, options);
    await pass(50);
  });
  afterEach(() => {
    made.messenger.stop();
    vi.useRealTimers();
  });
  made.session = () => made.messenger.session.get() as Session;
  const shown = () => made.session().timeline(made.gateway.conversation)?.messages.get() ?? [];
  made.texts = () => shown().map((message) => message.content);
  made.statuses = () => shown().map((message) => message.status);
  made.reload = async () => {
    made.messenger.stop();
    made.messenger = start(made, options);
    await pass(50);
  };
  return made;
}

function start(made: World, options: MessengerOptions): Messenger {
  let salt = 0;
  const getToken = ({ fresh }: { fresh: boolean }) => {
    made.asked.push(fresh);
    salt += 1;
    return token(3600, salt);
  };
  const messenger = new Messenger('http://gateway.test', getToken, options);
  messenger.start();
  return messenger;
}

/** The clock moves on by so much, and all that is due happens. */
export const pass = (millis: number) => vi.advanceTimersByTimeAsync(millis);
