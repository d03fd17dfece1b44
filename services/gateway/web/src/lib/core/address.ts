/** Owns where the gateway is: from whatever a host application calls it to its REST and socket addresses. */

const BASE_PATH = '/api/v1/messenger';

export interface Address {
  rest: string;
  socket: string;
}

/** `url` is the gateway's origin, or where its API begins; the empty one is the page's own origin. */
export function addressOf(url: string): Address {
  const found = new URL(url || '/', globalThis.location?.href);
  const path = found.pathname.replace(/\/+$/, '');
  const rest = found.origin + (path.endsWith(BASE_PATH) ? path : path + BASE_PATH);
  return { rest, socket: `${rest.replace(/^http/, 'ws')}/ws` };
}
