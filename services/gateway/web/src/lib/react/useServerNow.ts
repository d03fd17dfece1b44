'use client';

/** Hook for the gateway's time, for words like "today", whatever this browser's clock says. */

import { useSession } from './context.tsx';

const browserNow = () => Date.now();

/**
 * Returns a function that gives the gateway's time in milliseconds, or this browser's time while the
 * gateway's is not known.
 */
export function useServerNow(): () => number {
  return useSession()?.clock.now ?? browserNow;
}
