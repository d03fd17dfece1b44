import { describe, expect, test, vi } from 'vitest';
import { advance, setUpMessenger } from './setup.ts';

const setup = setUpMessenger();
const HTML = '<html>Please accept our terms</html>';

/** The answer that a network gives in place of the gateway until it lets requests through. */
function interceptRequests(answer: () => Promise<Response>) {
  const { fetch } = globalThis;
  const held = { isThere: true };
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => (held.isThere ? answer() : fetch(url, init)));
  return held;
}

describe('a network that answers in the gateway’s stead', () => {
  const page = (status: number) => async () =>
    new Response(HTML, { status, headers: { 'Content-Type': 'text/html' } });
  const cut = async () =>
    new Response(
      new ReadableStream({
        start: (stream) => {
          stream.enqueue(new TextEncoder().encode('{"items": ['));
          stream.error(new TypeError('network error'));
        },
      }),
    );

  test.each([
    ['200 and a page', page(200)],
    ['403 and a page', page(403)],
    ['511 and a page', page(511)],
    ['the first half of an answer', cut],
    ['nothing', async () => Promise.reject(new TypeError('Failed to fetch'))],
    ['a bare word of JSON', async () => Response.json('ok')],
  ])('with %s does not keep the conversations away for good', async (_, answer) => {
    const held = interceptRequests(answer);
    await setup.reload();
    await advance(5_000);
    expect(setup.session().list.state.get()).toMatchObject({
      status: 'failed',
      failure: { retryable: true },
    });
    held.isThere = false;
    await advance(31_000);
    expect(setup.session().list.state.get().status).toBe('ready');
    expect(setup.session().store.conversations.get()).toHaveLength(1);
  });
});

test('a gateway that says no is believed', async () => {
  const problem = { code: 'forbidden', title: 'Forbidden', retryable: false };
  interceptRequests(async () => Response.json(problem, { status: 403 }));
  await setup.reload();
  await advance(60_000);
  expect(setup.session().list.state.get()).toMatchObject({
    status: 'failed',
    failure: { code: 'forbidden' },
  });
});
