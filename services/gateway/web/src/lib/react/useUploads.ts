'use client';

/** Hooks for files that are being uploaded. */

import { useMemo, useRef } from 'react';
import type { Upload } from '../core/files/upload.ts';
import type { NewUpload, Uploads } from '../core/files/uploads.ts';
import { useSession } from './context.tsx';
import { useReadable } from './useReadable.ts';

const NONE: readonly Upload[] = [];

export interface UploadsView {
  /** The files of the draft, in the order in which they were added. `send` takes their ids as `uploads`. */
  uploads: readonly Upload[];
  /**
   * Begins to upload files. Resolves to how many were left out, because a message has at most ten. Rejects with
   * MessengerError if what it takes cannot be loaded.
   */
  add: (files: readonly NewUpload[]) => Promise<number>;
  /** Ends an upload, also one that is complete. */
  remove: (id: string) => void;
  /** Tries a failed upload again. */
  retry: (id: string) => void;
  /** Call when the size of a picture is known, so that its place is kept. */
  measured: (id: string, width: number, height: number) => void;
}

/** The files of a conversation's draft. Uploads continue after a cut of the network and after a reload. */
export function useUploads(conversationId: string): UploadsView {
  const session = useSession();
  const all = useEngine();
  const uploads = useChosen(
    (upload) => upload.conversationId === conversationId && upload.messageId === null,
  );
  return useMemo(() => {
    return {
      uploads,
      add: async (files) => (await session?.files.add(conversationId, files)) ?? files.length,
      remove: (id) => all?.remove(id),
      retry: (id) => all?.retry(id),
      measured: (id, width, height) => all?.measured(id, width, height),
    };
  }, [session, all, conversationId, uploads]);
}

/** The uploads that a message waits for, by its `client_message_id`: those that this tab has in hand. */
export function useUploadsOf(messageId: string | null): readonly Upload[] {
  return useChosen((upload) => messageId !== null && upload.messageId === messageId);
}

const useEngine = (): Uploads | null => useReadable(useSession()?.files.uploads, null);

/** The same list as before while the chosen uploads are the same. */
function useChosen(isChosen: (upload: Upload) => boolean): readonly Upload[] {
  const all = useReadable(useEngine()?.all, NONE);
  const held = useRef(NONE);
  const chosen = all.filter(isChosen);
  const isSame =
    chosen.length === held.current.length && chosen.every((each, at) => each === held.current[at]);
  if (!isSame) held.current = chosen;
  return held.current;
}
