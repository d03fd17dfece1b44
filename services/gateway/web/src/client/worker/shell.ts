/**
 * Keeps the client's shell: the page, its assets and its configuration. The network comes first for the page, so that
 * a new version is there at once. Only without the network, or if it is slow, the page of the cache opens. Answers of
 * the API are never kept: the worker does not even see them.
 */

/** What one build of the client needs to start. */
export interface Shell {
  /** A hash of the page. It changes with every asset, because the page names them by their hashes. */
  version: string;
  /** Paths of the assets that the page names. */
  assets: string[];
}

export interface ShellPort {
  caches: Pick<CacheStorage, 'open' | 'keys' | 'delete'>;
  fetch(request: Request | string, options?: RequestInit): Promise<Response>;
  /** Keeps the worker running until this is done. */
  waitUntil(work: Promise<unknown>): void;
}

export type Kept = 'page' | 'asset' | 'config';

export const PAGE = '/';
export const CONFIG = '/config.json';
const PREFIX = 'messenger shell ';
const NETWORK_MS = 3_000;
const SERVER_ERRORS = 500;
const PATHS: readonly [RegExp, Kept][] = [
  [/^\/$|^\/c\/[^/]*$/, 'page'],
  [/^\/assets\/[^/]+$/, 'asset'],
  [/^\/config\.json$/, 'config'],
];

/** What a request is for; null if the worker leaves it to the browser. */
export function kindOf(request: Pick<Request, 'url' | 'method' | 'mode'>, origin: string): Kept | null {
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== origin) return null;
  const kind = PATHS.find(([path]) => path.test(url.pathname))?.[1] ?? null;
  return kind === 'page' && request.mode !== 'navigate' ? null : kind;
}

/** Rejects if the gateway answers with another version, as during an update. The browser then tries again later. */
export async function installShell(port: ShellPort, shell: Shell): Promise<void> {
  const cache = await port.caches.open(PREFIX + shell.version);
  const page = await loaded(port, PAGE, { cache: 'no-cache' });
  const text = await page.clone().text();
  if (!shell.assets.every((asset) => text.includes(asset))) throw new Error('another version');
  await Promise.all(shell.assets.map(async (asset) => cache.put(asset, await asAsset(loaded(port, asset)))));
  await cache.put(CONFIG, await loaded(port, CONFIG, { cache: 'no-cache' }));
  await cache.put(PAGE, page);
}

/** Removes what other versions have kept. */
export async function removeOldShells({ caches }: ShellPort, shell: Shell): Promise<void> {
  const old = (await caches.keys()).filter(
    (name) => name.startsWith(PREFIX) && name !== PREFIX + shell.version,
  );
  await Promise.all(old.map((name) => caches.delete(name)));
}

export async function answer(port: ShellPort, shell: Shell, kind: Kept, request: Request): Promise<Response> {
  // A browser whose disk is full or damaged refuses caches. The client works without.
  const opening = port.caches.open(PREFIX + shell.version).catch(() => null);
  if (kind === 'asset') return asset(port, await opening, request);
  const network = port.fetch(request);
  const key = kind === 'page' ? PAGE : CONFIG;
  const response = await inTime(network);
  const cache = await opening;
  // The page stays that of its assets. The next worker brings the next page.
  if (response?.ok && kind === 'config' && cache) port.waitUntil(cache.put(CONFIG, response.clone()));
  if (response && response.status < SERVER_ERRORS) return response;
  return (await cache?.match(key)) ?? network;
}

/** An asset never changes, because its name holds a hash of its content. */
async function asset(port: ShellPort, cache: Cache | null, request: Request): Promise<Response> {
  const kept = await cache?.match(request.url);
  if (kept) return kept;
  const response = await port.fetch(request);
  if (response.ok && !isPage(response) && cache) port.waitUntil(cache.put(request.url, response.clone()));
  return response;
}

/** Null if the network fails or takes too long. */
function inTime(network: Promise<Response>): Promise<Response | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), NETWORK_MS);
    network.then(resolve, () => resolve(null)).finally(() => clearTimeout(timer));
  });
}

async function loaded(port: ShellPort, path: string, options: RequestInit = {}): Promise<Response> {
  const response = await port.fetch(path, options);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response;
}

/** Some proxies answer with an application's page where there is nothing. */
async function asAsset(loading: Promise<Response>): Promise<Response> {
  const response = await loading;
  if (isPage(response)) throw new Error('a page instead of an asset');
  return response;
}

const isPage = (response: Response) => (response.headers.get('Content-Type') ?? '').startsWith('text/html');
