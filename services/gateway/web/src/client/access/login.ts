/**
 * Gives access through a login page. The client opens it with `return_to` and `state`. It returns with
 * `token` and `state` behind the `#`, which no server ever sees. A token without this tab's `state` was not
 * requested by this tab, so it is ignored. A browser that blocks a site's data cannot keep the state. There
 * the user gets a message instead of an endless loop of redirects.
 */

import { MessengerError } from '@messenger/react';
import type { Access } from './access.ts';

const TOKEN = 'messenger token';
const STATE = 'messenger state';
const refusedStorage = () =>
  new MessengerError({ code: 'no_storage', message: 'This browser blocks site data', retryable: false });

export function loginAccess(loginUrl: string): Access {
  takeTokenFromAddress();
  let refused: string | null = null;
  const signIn = () => {
    if (hasStorage()) location.assign(loginAddress(loginUrl));
  };
  return {
    getToken: ({ fresh }) => {
      const token = read(TOKEN);
      if (fresh) refused = token;
      if (token && token !== refused) return token;
      // The login page cannot be reached. The client stays, and asks again.
      if (token === null && !navigator.onLine)
        throw new MessengerError({ code: 'no_token', message: 'Offline', retryable: true });
      if (token === null) signIn();
      throw new MessengerError({ code: 'no_token', message: 'Please sign in again', retryable: false });
    },
    signOut: () => {
      if (hasStorage()) sessionStorage.removeItem(TOKEN);
      signIn();
    },
    ...(hasStorage() ? { signIn } : {}),
  };
}

function loginAddress(loginUrl: string): string {
  const state = [...crypto.getRandomValues(new Uint8Array(16))]
    .map((n) => n.toString(16).padStart(2, '0'))
    .join('');
  sessionStorage.setItem(STATE, state);
  const url = new URL(loginUrl, location.href);
  url.searchParams.set('return_to', location.href.split('#')[0] ?? '');
  url.searchParams.set('state', state);
  return url.href;
}

function hasStorage(): boolean {
  try {
    return globalThis.sessionStorage !== undefined;
  } catch {
    return false;
  }
}

function read(name: string): string | null {
  if (!hasStorage()) throw refusedStorage();
  return sessionStorage.getItem(name);
}

function takeTokenFromAddress(): void {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const token = fragment.get('token');
  if (token === null) return;
  history.replaceState(history.state, '', location.pathname + location.search);
  if (!hasStorage() || fragment.get('state') !== sessionStorage.getItem(STATE)) return;
  sessionStorage.removeItem(STATE);
  sessionStorage.setItem(TOKEN, token);
}
