import { beforeEach, expect, test, vi } from 'vitest';
import { loginAccess } from '../src/client/access/login.ts';

const LOGIN = 'https://shop.test/login';
const ANY = expect.stringMatching(
  /^https:\/\/shop\.test\/login\?return_to=https%3A%2F%2Fchat\.test%2Fc%2F1&state=\w{32}$/,
);
let kept: Map<string, string>;
let went: string[];
let network: { onLine: boolean };

/** A tab at this address, with nothing kept yet. */
function openTab(hash = ''): void {
  kept = new Map();
  went = [];
  network = { onLine: true };
  vi.stubGlobal('location', {
    ...{ href: `https://chat.test/c/1${hash}`, pathname: '/c/1', search: '', hash },
    assign: (address: string) => went.push(address),
  });
  vi.stubGlobal('history', { state: null, replaceState: vi.fn() });
  vi.stubGlobal('navigator', network);
  vi.stubGlobal('sessionStorage', {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => kept.set(name, value),
    removeItem: (name: string) => kept.delete(name),
  });
}

/** The token, or whether to ask for it again later. */
async function tokenOf(access: ReturnType<typeof loginAccess>, fresh = false): Promise<string | boolean> {
  try {
    return await access.getToken({ fresh });
  } catch (error) {
    return (error as { retryable: boolean }).retryable;
  }
}

beforeEach(() => openTab());

test('offline it stays and asks again; with a network it goes to the login page', async () => {
  const access = loginAccess(LOGIN);
  network.onLine = false;
  expect([await tokenOf(access), went]).toEqual([true, []]);
  network.onLine = true;
  expect([await tokenOf(access), went]).toEqual([false, [ANY]]);
});

test('a token that was refused is not given again, and does not leave the page by itself', async () => {
  kept.set('messenger token', 'old');
  const access = loginAccess(LOGIN);
  expect(await tokenOf(access)).toBe('old');
  network.onLine = false;
  expect([await tokenOf(access, true), await tokenOf(access), went]).toEqual([false, false, []]);
});

test.each([
  ['this tab asked for', 's', 'new'],
  ['nobody asked for', 'other', true],
])('a token that %s is %s', async (_, state, expected) => {
  openTab('#token=new&state=s');
  kept.set('messenger state', state);
  network.onLine = false;
  expect(await tokenOf(loginAccess(LOGIN))).toBe(expected);
  expect(history.replaceState).toHaveBeenCalledWith(null, '', '/c/1');
});

test('leaving forgets the token', async () => {
  kept.set('messenger token', 'old');
  loginAccess(LOGIN).signOut();
  expect([kept.has('messenger token'), went]).toEqual([false, [ANY]]);
});

test('where the browser refuses to keep anything, nobody is sent round in circles', async () => {
  vi.stubGlobal('sessionStorage', undefined);
  const access = loginAccess(LOGIN);
  expect([await tokenOf(access), access.signIn, went]).toEqual([false, undefined, []]);
});
