/** Owns access in development: the user is in the address, and the gateway makes a token for anybody. */

import { MessengerError } from '@messenger/react';
import type { Access } from './access.ts';

const PARAMETER = 'user_id';

export function devUser(): number | null {
  const id = Number(new URLSearchParams(location.search).get(PARAMETER));
  return Number.isSafeInteger(id) && id > 0 ? id : null;
}

/** In the address, so that a reload stays who it is and two tabs may be two people. */
export function becomeDevUser(id: number): void {
  location.assign(`/?${PARAMETER}=${id}`);
}

export function devAccess(userId: number): Access {
  return { getToken: () => mint(userId), leave: () => location.assign('/') };
}

async function mint(userId: number): Promise<string> {
  const response = await fetch('/api/v1/messenger/dev/token', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ user_id: userId }),
  });
  const body = await response.json();
  if (response.ok) return body.token;
  const retryable = response.status >= 500;
  throw new MessengerError({ code: `http_${response.status}`, message: 'No token', retryable });
}
