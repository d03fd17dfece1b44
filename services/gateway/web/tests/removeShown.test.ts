import { afterEach, expect, it, vi } from 'vitest';
import { removeShown } from '../src/client/push/removeShown.ts';

afterEach(() => vi.unstubAllGlobals());

it('closes every notification and clears the badge', async () => {
  const shown = [{ close: vi.fn() }, { close: vi.fn() }];
  const clearAppBadge = vi.fn(async () => undefined);
  const getRegistration = async () => ({ getNotifications: async () => shown });
  vi.stubGlobal('navigator', { serviceWorker: { getRegistration }, clearAppBadge });
  await removeShown();
  for (const { close } of shown) expect(close).toHaveBeenCalledOnce();
  expect(clearAppBadge).toHaveBeenCalledOnce();
});

it.each([
  ['without any of these', {}],
  ['without a worker', { serviceWorker: { getRegistration: () => Promise.resolve(undefined) } }],
  [
    'where the browser refuses',
    {
      serviceWorker: { getRegistration: (): Promise<never> => Promise.reject(new Error('refused')) },
      clearAppBadge: (): Promise<never> => Promise.reject(new Error('refused')),
    },
  ],
])('does not reject %s', async (_, refusing) => {
  vi.stubGlobal('navigator', refusing);
  await expect(removeShown()).resolves.toBeUndefined();
});
