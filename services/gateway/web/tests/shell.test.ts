import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { answer, installShell, kindOf, removeOldShells, type ShellPort } from '../src/client/worker/shell.ts';

const ORIGIN = 'https://chat.test';
const SHELL = { version: 'two', assets: ['/assets/index-2.js', '/assets/index-2.css'] };
const PAGE = `<script src="${SHELL.assets[0]}"></script><link href="${SHELL.assets[1]}">`;

type Site = Record<string, () => Response | Promise<Response>>;

const path = (request: Request | string) =>
  new URL(typeof request === 'string' ? request : request.url, ORIGIN).pathname;
const typed = (body: string, type: string, status = 200) =>
  new Response(body, { status, headers: { 'Content-Type': type } });

class FakeCache {
  kept = new Map<string, Response>();

  async put(request: string, response: Response) {
    this.kept.set(path(request), response.clone());
  }

  async match(request: string) {
    return this.kept.get(path(request))?.clone();
  }
}

let site: Site;
let stores: Map<string, FakeCache>;
let asked: string[];

const port: ShellPort = {
  caches: {
    open: async (name) => {
      const found = stores.get(name) ?? new FakeCache();
      stores.set(name, found);
      return found as unknown as Cache;
    },
    keys: async () => [...stores.keys()],
    delete: async (name) => stores.delete(name),
  },
  fetch: async (request) => {
    asked.push(path(request));
    const found = site[path(request)];
    if (!found) return typed('', 'text/plain', 404);
    return (await found()).clone();
  },
  waitUntil: () => undefined,
};

const offline = () => Promise.reject(new TypeError('Failed to fetch'));
const get = (at: string) => new Request(ORIGIN + at);
const page = async (at = '/c/1') => (await answer(port, SHELL, 'page', get(at))).text();
const paths = () => [...(stores.get('messenger shell two')?.kept.keys() ?? [])].sort();

beforeEach(() => {
  asked = [];
  stores = new Map();
  site = {
    '/': () => typed(PAGE, 'text/html'),
    '/config.json': () => Response.json({ login_url: null }),
    '/assets/index-2.js': () => typed('two', 'text/javascript'),
    '/assets/index-2.css': () => typed('two', 'text/css'),
  };
});

afterEach(() => vi.useRealTimers());

test('the worker handles only the page, its assets and its configuration', () => {
  const kind = (url: string, fields: object = {}) =>
    kindOf({ url, method: 'GET', mode: 'navigate', ...fields } as Request, ORIGIN);
  expect(kind(`${ORIGIN}/?user_id=1`)).toBe('page');
  expect(kind(`${ORIGIN}/c/0193`)).toBe('page');
  expect(kind(`${ORIGIN}/`, { mode: 'cors' })).toBeNull();
  expect(kind(`${ORIGIN}/assets/index-2.js`, { mode: 'cors' })).toBe('asset');
  expect(kind(`${ORIGIN}/config.json`, { mode: 'cors' })).toBe('config');
  expect(kind('https://pictures.test/assets/index-2.js')).toBeNull();
  expect(kind(`${ORIGIN}/config.json`, { method: 'POST' })).toBeNull();
  for (const other of ['/api/v1/messenger/conversations', '/demo', '/c/1/2', '/app/icon-192.png', '/login'])
    expect(kind(ORIGIN + other)).toBeNull();
});

test('the shell is kept whole, and those of other versions go', async () => {
  stores.set('messenger shell one', new FakeCache());
  stores.set('messenger settings', new FakeCache());
  stores.set('of somebody else', new FakeCache());
  await installShell(port, SHELL);
  expect(paths()).toEqual(['/', '/assets/index-2.css', '/assets/index-2.js', '/config.json']);
  await removeOldShells(port, SHELL);
  expect([...stores.keys()].sort()).toEqual([
    'messenger settings',
    'messenger shell two',
    'of somebody else',
  ]);
});

test.each([
  ['a page of another version', '/', () => typed('<script src="/assets/index-1.js">', 'text/html')],
  ['a page instead of an asset', '/assets/index-2.js', () => typed(PAGE, 'text/html')],
  ['a missing asset', '/assets/index-2.css', () => typed('', 'text/plain', 404)],
  ['a gateway that stops', '/config.json', offline],
])('it is not installed from %s', async (_, at, response) => {
  site[at] = response;
  await expect(installShell(port, SHELL)).rejects.toThrow();
});

test('the page of the network comes first, whatever is kept', async () => {
  await installShell(port, SHELL);
  site['/c/1'] = () => typed('three', 'text/html');
  expect(await page()).toBe('three');
  site['/c/1'] = offline;
  expect(await page()).toBe(PAGE);
  site['/c/1'] = () => typed('', 'text/html', 503);
  expect(await page()).toBe(PAGE);
  // A login page in front of the gateway is its answer.
  site['/c/1'] = () => typed('sign in', 'text/html', 401);
  expect(await page()).toBe('sign in');
});

test('a slow network is not waited for, unless nothing is kept', async () => {
  await installShell(port, SHELL);
  vi.useFakeTimers();
  site['/c/1'] = () =>
    new Promise((resolve) => setTimeout(() => resolve(typed('late', 'text/html')), 60_000));
  const opened = page();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(await opened).toBe(PAGE);
  stores.clear();
  const waiting = page();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await waiting).toBe('late');
});

test('an asset is asked for once, and no page is kept in its place', async () => {
  await installShell(port, SHELL);
  asked = [];
  const asset = async (at: string) => (await answer(port, SHELL, 'asset', get(at))).text();
  expect(await asset('/assets/index-2.js')).toBe('two');
  expect(asked).toEqual([]);
  site['/assets/Details-2.js'] = () => typed('details', 'text/javascript');
  expect(await asset('/assets/Details-2.js')).toBe('details');
  expect(await asset('/assets/Details-2.js')).toBe('details');
  expect(asked).toEqual(['/assets/Details-2.js']);
  site['/assets/Gone-1.js'] = () => typed(PAGE, 'text/html');
  await asset('/assets/Gone-1.js');
  expect(paths()).not.toContain('/assets/Gone-1.js');
});

test('without caches the client comes from the network', async () => {
  const refused = { ...port.caches, open: () => Promise.reject(new DOMException('', 'UnknownError')) };
  const text = async (kind: 'page' | 'asset', at: string) =>
    (await answer({ ...port, caches: refused }, SHELL, kind, get(at))).text();
  expect(await text('page', '/')).toBe(PAGE);
  expect(await text('asset', '/assets/index-2.js')).toBe('two');
});

test('the configuration is kept as it was last', async () => {
  await installShell(port, SHELL);
  const config = async () => (await answer(port, SHELL, 'config', get('/config.json'))).json();
  site['/config.json'] = () => Response.json({ login_url: '/login' });
  expect(await config()).toEqual({ login_url: '/login' });
  site['/config.json'] = offline;
  expect(await config()).toEqual({ login_url: '/login' });
});
