'use client';

/** Hook for what the gateway can do. */

import { useSession } from './context.tsx';
import { useReadable } from './useReadable.ts';

const NONE: readonly string[] = [];

/** Whether the gateway has this feature, such as `reactions` or `pins`. False until the first connection. */
export function useFeature(name: string): boolean {
  return useReadable(useSession()?.features, NONE).includes(name);
}
