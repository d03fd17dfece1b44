'use client';

/** Hooks for the unsent messages of all conversations, and for whether they would outlive the page. */

import type { OutboxEntry } from '../core/outbox/outbox.ts';
import { useSession } from './context.tsx';
import { useReadable } from './useReadable.ts';

const NONE: readonly OutboxEntry[] = [];

/** False while the browser saves nothing: unsent messages would be lost with the page. */
export function useIsKept(): boolean {
  return !useReadable(useSession()?.outbox.isFailing, false);
}

export function useOutbox(): readonly OutboxEntry[] {
  return useReadable(useSession()?.outbox.entries, NONE);
}
