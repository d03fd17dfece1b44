import { afterEach, describe, expect, test, vi } from 'vitest';
import { readOfferedUsers } from '../src/client/access/dev.ts';

const PEOPLE = [
  { id: 2 ** 52 + 1, name: '김서연' },
  { id: 2 ** 52 + 2, name: 'Alex Carter' },
];
const NUMBERED = [1, 2, 3, 4, 5, 6].map((id) => ({ id, name: null }));

afterEach(() => vi.unstubAllGlobals());

describe('who may be chosen', () => {
  test('are the people of the demo', async () => {
    const fetch = vi.fn(async () => Response.json({ items: PEOPLE }));
    vi.stubGlobal('fetch', fetch);
    expect(await readOfferedUsers()).toEqual(PEOPLE);
    expect(fetch).toHaveBeenCalledWith('/api/v1/messenger/dev/users', expect.anything());
  });

  test.each([
    ['there is no demo', async () => Response.json({ items: [] })],
    ['the gateway refuses', async () => Response.json({ code: 'unavailable' }, { status: 503 })],
    ['the answer is no JSON', async () => new Response('<html>', { status: 502 })],
    ['nobody answers', () => Promise.reject(new TypeError('Failed to fetch'))],
  ])('are numbers if %s', async (_, answer) => {
    vi.stubGlobal('fetch', vi.fn(answer));
    expect(await readOfferedUsers()).toEqual(NUMBERED);
  });
});
