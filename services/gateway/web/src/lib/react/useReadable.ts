'use client';

/** Hook that reads a value of the core, and redraws the component when it changes. */

import { useSyncExternalStore } from 'react';
import type { Readable } from '../core/base/observable.ts';

const subscribeToNothing = () => () => undefined;

/**
 * `otherwise` is returned while there is no value, and on a server. It has to be the same object every time.
 */
export function useReadable<T>(readable: Readable<T> | null | undefined, fallback: T): T {
  return useSyncExternalStore(
    readable?.subscribe ?? subscribeToNothing,
    readable?.get ?? (() => fallback),
    () => fallback,
  );
}
