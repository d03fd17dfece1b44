/** Puts off sending while files are being added, so that no message goes without its files. */

import { type RefObject, useEffect, useRef, useState } from 'react';
import type { DraftFiles } from './useDraftFiles.ts';

/**
 * Returns a function that tells whether sending has to wait. Then `send` is called later, unless a file could not be
 * added, or the user has changed the text.
 */
export function usePostponedSend(
  { whenAdded }: DraftFiles,
  box: RefObject<HTMLTextAreaElement | null>,
  send: () => void,
): () => boolean {
  const wanted = useRef<string | null>(null);
  const [due, setDue] = useState<string | null>(null);
  // The drawing with the new files, whose `send` knows them.
  useEffect(() => {
    if (due === null) return;
    setDue(null);
    if (box.current?.value === due) send();
  });
  return () => {
    const added = whenAdded();
    if (!added) return false;
    const isWaiting = wanted.current !== null;
    wanted.current = box.current?.value ?? '';
    if (!isWaiting)
      void added.then((isAdded) => {
        if (isAdded) setDue(wanted.current);
        wanted.current = null;
      });
    return true;
  };
}
