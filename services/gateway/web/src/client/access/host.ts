/**
 * Talks to the page that embeds the client, which provides tokens and names. It accepts messages only from
 * pages that the gateway's operator has listed, and never posts anything secret.
 */

import { MessengerError, type UserId } from '@messenger/react';
import type { Access } from './access.ts';

const ANSWER_MS = 10_000;

type FromHost =
  | { type: 'messenger.token'; token: string }
  | { type: 'messenger.names'; names: Record<UserId, string> };

export function hostAccess(allowed: string[]): Access {
  // If the browser tells which page embeds this one, only that page is asked.
  const [parent] = location.ancestorOrigins ?? [];
  const origins = parent === undefined ? allowed : allowed.filter((origin) => origin === parent);
  /** Asks the host, and resolves with its next message of this kind. */
  const ask = <Kind extends FromHost['type']>(question: object, kind: Kind) =>
    new Promise<Extract<FromHost, { type: Kind }>>((resolve, reject) => {
      const handleMessage = (event: MessageEvent<FromHost>) => {
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
        window.removeEventListener('message', handleMessage);
      };
      window.addEventListener('message', handleMessage);
      for (const origin of origins) window.parent.postMessage(question, origin);
    });
  return {
    getToken: async ({ fresh }) =>
      (await ask({ type: 'messenger.token.wanted', fresh }, 'messenger.token')).token,
    directory: async (ids) =>
      (await ask({ type: 'messenger.names.wanted', ids }, 'messenger.names')).names ?? {},
    signOut: () =>
      origins.forEach((origin) => void window.parent.postMessage({ type: 'messenger.leave' }, origin)),
  };
}
