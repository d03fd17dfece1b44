/**
 * Owns talking to the page that embeds the client: it hands over tokens and knows names. Only pages that the
 * gateway's operator named are listened to, and nothing secret is ever posted out.
 */

import { MessengerError, type UserId } from '@messenger/react';
import type { Access } from './access.ts';

const ANSWER_MS = 10_000;

type FromHost =
  | { type: 'messenger.token'; token: string }
  | { type: 'messenger.names'; names: Record<UserId, string> };

export function hostAccess(allowed: string[]): Access {
  // Where the browser tells who embeds this page, only that one is asked.
  const [parent] = location.ancestorOrigins ?? [];
  const origins = parent === undefined ? allowed : allowed.filter((origin) => origin === parent);
  /** The next word of this kind from the host. */
  const ask = <Kind extends FromHost['type']>(question: object, kind: Kind) =>
    new Promise<Extract<FromHost, { type: Kind }>>((resolve, reject) => {
      const heard = (event: MessageEvent<FromHost>) => {
        if (event.source !== window.parent || !origins.includes(event.origin)) return;
        if (event.data?.type !== kind) return;
        stop();
        resolve(event.data as Extract<FromHost, { type: Kind }>);
      };
      const timer = setTimeout(() => {
        stop();
        reject(new MessengerError({ code: 'no_token', message: 'The page did not answer', retryable: true }));
      }, ANSWER_MS);
      const stop = () => {
        clearTimeout(timer);
        window.removeEventListener('message', heard);
      };
      window.addEventListener('message', heard);
      for (const origin of origins) window.parent.postMessage(question, origin);
    });
  return {
    getToken: async ({ fresh }) =>
      (await ask({ type: 'messenger.token.wanted', fresh }, 'messenger.token')).token,
    directory: async (ids) =>
      (await ask({ type: 'messenger.names.wanted', ids }, 'messenger.names')).names ?? {},
    leave: () =>
      origins.forEach((origin) => void window.parent.postMessage({ type: 'messenger.leave' }, origin)),
  };
}
