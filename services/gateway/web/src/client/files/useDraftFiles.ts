/** The files of a conversation's draft, and the ways by which they come: the button, paste, and drop. */

import { type Failure, isBlank, type UploadsView, useFeature, useUploads } from '@messenger/react';
import {
  type ClipboardEvent,
  type DragEvent,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { useAction } from '../parts/useAction.ts';

export interface DraftFiles extends Omit<UploadsView, 'add'> {
  add: (files: readonly File[]) => void;
  /** Whether files are being added, which takes a moment the first time: `uploads` has them after that. */
  isAdding: boolean;
  /** Resolves when no file is being added any more, to whether all of them were. Null if none is. */
  whenAdded: () => Promise<boolean> | null;
  failure: Failure | null;
  /** Whether files can be added now. */
  isOn: boolean;
  hasFailed: boolean;
  /** How many files were left out the last time. */
  leftOut: number;
  onPaste: (event: ClipboardEvent) => void;
}

export function useDraftFiles(conversationId: string, canWrite: boolean): DraftFiles {
  const view = useUploads(conversationId);
  const isOn = useFeature('files') && canWrite;
  const [leftOut, setLeftOut] = useState(0);
  const { add: addAll, remove: removeOne } = view;
  const { run, failure } = useAction();
  const adding = useRef(new Set<Promise<boolean>>());
  const [isAdding, setAdding] = useState(false);
  const add = useCallback(
    (files: readonly File[]) => {
      if (files.length === 0) return;
      const added = run(async () => setLeftOut(await addAll(files)));
      adding.current.add(added);
      setAdding(true);
      void added.finally(() => {
        adding.current.delete(added);
        setAdding(adding.current.size > 0);
      });
    },
    [addAll, run],
  );
  const whenAdded = useCallback(() => (adding.current.size > 0 ? areAll([...adding.current]) : null), []);
  const remove = useCallback(
    (id: string) => {
      setLeftOut(0);
      removeOne(id);
    },
    [removeOne],
  );
  return useMemo(() => {
    const onPaste = (event: ClipboardEvent) => {
      const { files } = event.clipboardData;
      // Office programs add a picture of the text that was copied.
      if (!isOn || files.length === 0 || !isBlank(event.clipboardData.getData('text/plain'))) return;
      event.preventDefault();
      add([...files]);
    };
    const hasFailed = view.uploads.some(({ phase }) => phase === 'failed');
    return { ...view, isOn, isAdding, whenAdded, hasFailed, leftOut, failure, add, remove, onPaste };
  }, [view, isOn, isAdding, whenAdded, leftOut, failure, add, remove]);
}

async function areAll(actions: Promise<boolean>[]): Promise<boolean> {
  const results = await Promise.allSettled(actions);
  return results.every((result) => result.status === 'fulfilled' && result.value);
}

export interface FileDrop {
  /** Whether the user holds files over the element. */
  isOver: boolean;
  props: Partial<Record<'onDragEnter' | 'onDragOver' | 'onDragLeave' | 'onDrop', (event: DragEvent) => void>>;
}

/** Files that are dropped on an element. Without it, the browser would leave the page and open them. */
export function useFileDrop({ isOn, add }: DraftFiles): FileDrop {
  // The children of the element have these events too.
  const [depth, setDepth] = useState(0);
  const props = useMemo(() => {
    const ifFiles = (action: (event: DragEvent) => void) => (event: DragEvent) => {
      if (!event.dataTransfer.types.includes('Files')) return;
      event.preventDefault();
      action(event);
    };
    return {
      onDragEnter: ifFiles(() => setDepth((held) => held + 1)),
      onDragLeave: ifFiles(() => setDepth((held) => Math.max(0, held - 1))),
      onDragOver: ifFiles(({ dataTransfer }) => {
        dataTransfer.dropEffect = isOn ? 'copy' : 'none';
      }),
      onDrop: ifFiles(({ dataTransfer }) => {
        setDepth(0);
        if (isOn) add(filesOf(dataTransfer));
      }),
    };
  }, [isOn, add]);
  useEffect(() => {
    const keepPage = (event: globalThis.DragEvent) => {
      if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
    };
    const ending = new AbortController();
    for (const name of ['dragover', 'drop'] as const)
      window.addEventListener(name, keepPage, { signal: ending.signal });
    return () => ending.abort();
  }, []);
  return { isOver: isOn && depth > 0, props };
}

/** A folder looks like a file that cannot be read. */
function filesOf({ items, files }: DataTransfer): File[] {
  const isFolder = (item: DataTransferItem) => item.webkitGetAsEntry?.()?.isDirectory === true;
  const entries = [...items].filter((item) => item.kind === 'file');
  if (!entries.some(isFolder)) return [...files];
  return entries.flatMap((item) => (isFolder(item) ? [] : (item.getAsFile() ?? [])));
}
