'use client';

/** Hook for the bytes of a file. */

import { useEffect, useMemo } from 'react';
import type { Attachment } from '../core/contract/wire.ts';
import { type FileState, NO_BYTES } from '../core/files/fileCache.ts';
import { useSession } from './context.tsx';
import { useReadable } from './useReadable.ts';

export interface FileView extends FileState {
  /** Tries again after a failure. */
  retry: () => void;
}

export interface FileOptions {
  /** The longer side in pixels that a picture needs. A smaller picture is loaded if there is one that suffices. */
  side?: number;
  /** False while the bytes are not needed. */
  isWanted?: boolean;
}

/**
 * The bytes of a file as a blob: URL, for `<img>`, `<audio>` and `<video>`, which cannot send the user's token. They are
 * loaded while a component uses them, and kept for some time after that. Only pictures, sound and films keep their type.
 */
export function useFile(file: Attachment, { side, isWanted = true }: FileOptions = {}): FileView {
  const cache = useSession()?.files.cache;
  const { file_id: fileId, size } = file;
  const thumb = thumbFor(file, side);
  const key = useMemo(() => ({ fileId, thumb, size }), [fileId, thumb, size]);
  useEffect(() => (isWanted ? cache?.use(key) : undefined), [cache, key, isWanted]);
  const state = useReadable(
    useMemo(() => cache?.of(key), [cache, key]),
    NO_BYTES,
  );
  return useMemo(() => ({ ...state, retry: () => cache?.retry(key) }), [state, cache, key]);
}

function thumbFor({ thumbs }: Attachment, side: number | undefined): number | null {
  if (side === undefined) return null;
  const enough = (thumbs ?? []).filter((each) => each >= side);
  return enough.length > 0 ? Math.min(...enough) : null;
}
