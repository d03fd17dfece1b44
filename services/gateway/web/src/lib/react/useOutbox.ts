'use client';

/** Owns what is on its way, over all conversations. */

import type { Entry } from '../core/outbox.ts';
import { useSession } from './context.tsx';
import { useReadable } from './useReadable.ts';

const NONE: readonly Entry[] = [];

export function useOutbox(): readonly Entry[] {
  return useReadable(useSession()?.outbox.entries, NONE);
}
