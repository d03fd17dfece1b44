/** Gives access in development: the user id is in the address, and the gateway makes a token for any user. */

import { MessengerError } from '@messenger/react';
import type { Access } from './access.ts';

const PARAMETER = 'user_id';
const DEV = '/api/v1/messenger/dev';
const LIMIT_MS = 5_000;

/** Somebody whom a developer may choose to be. */
export interface OfferedUser {
  id: number;
  name: string | null;
}

/** Offered where there is no demo. They are just numbers. */
const NUMBERED: readonly OfferedUser[] = [1, 2, 3, 4, 5, 6].map((id) => ({ id, name: null }));

export function devUserFromAddress(): number | null {
  const id = Number(new URLSearchParams(location.search).get(PARAMETER));
  return Number.isSafeInteger(id) && id > 0 ? id : null;
}

/** The id is in the address, so that a reload keeps the user and two tabs may be two users. */
export function becomeDevUser(id: number): void {
  location.assign(`/?${PARAMETER}=${id}`);
}

/** The demo's people; without a demo, or if the gateway does not answer, users with numbers alone. */
export async function readOfferedUsers(): Promise<readonly OfferedUser[]> {
  try {
    const response = await fetch(`${DEV}/users`, { signal: AbortSignal.timeout(LIMIT_MS) });
    const { items }: { items: OfferedUser[] } = await response.json();
    return items.length > 0 ? items : NUMBERED;
  } catch {
    return NUMBERED;
  }
}

export function devAccess(userId: number): Access {
  return { getToken: () => requestToken(userId), signOut: () => location.assign('/') };
}

async function requestToken(userId: number): Promise<string> {
  const response = await fetch(`${DEV}/token`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ user_id: userId }),
  });
  const body = await response.json();
  if (response.ok) return body.token;
  const retryable = response.status >= 500;
  throw new MessengerError({ code: `http_${response.status}`, message: 'No token', retryable });
}
