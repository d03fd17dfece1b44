/**
 * Owns access by a login page. It is called with `return_to` and `state`, and comes back with both `token` and
 * `state` behind the #, which no server ever sees. A token without the state of this tab is nobody's we asked for.
 */

import { MessengerError } from '@messenger/react';
import type { Access } from './access.ts';

const TOKEN = 'messenger token';
const STATE = 'messenger state';

export function loginAccess(loginUrl: string): Access {
  takeFromAddress();
  let refused: string | null = null;
  const signIn = () => location.assign(loginAddress(loginUrl));
  return {
    getToken: ({ fresh }) => {
      const token = sessionStorage.getItem(TOKEN);
      if (fresh) refused = token;
      if (token && token !== refused) return token;
      if (token === null) signIn();
      throw new MessengerError({ code: 'no_token', message: 'Please sign in again', retryable: false });
    },
    leave: () => {
      sessionStorage.removeItem(TOKEN);
      signIn();
    },
    signIn,
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

function takeFromAddress(): void {
  const given = new URLSearchParams(location.hash.slice(1));
  const token = given.get('token');
  if (token === null) return;
  history.replaceState(history.state, '', location.pathname + location.search);
  if (given.get('state') !== sessionStorage.getItem(STATE)) return;
  sessionStorage.removeItem(STATE);
  sessionStorage.setItem(TOKEN, token);
}
