/** Finds the REST and socket addresses of the gateway from the URL that the host application gives. */

const BASE_PATH = '/api/v1/messenger';

export interface Address {
  rest: string;
  socket: string;
}

/** `url` is the gateway's origin or the base URL of its API. An empty `url` means the page's own origin. */
export function parseAddress(url: string): Address {
  const found = new URL(url || '/', globalThis.location?.href);
  const path = found.pathname.replace(/\/+$/, '');
  const rest = found.origin + (path.endsWith(BASE_PATH) ? path : path + BASE_PATH);
  return { rest, socket: `${rest.replace(/^http/, 'ws')}/ws` };
}
