'use client';

/** Owns reading a value of the core in a component: drawn again when it changes. */

import { useSyncExternalStore } from 'react';
import type { Readable } from '../core/cell.ts';

const never = () => () => undefined;

/** `otherwise` stands while there is nothing to read, and on a server. It has to be the same every time. */
export function useReadable<T>(readable: Readable<T> | null | undefined, otherwise: T): T {
  return useSyncExternalStore(
    readable?.subscribe ?? never,
    readable?.get ?? (() => otherwise),
    () => otherwise,
  );
}
