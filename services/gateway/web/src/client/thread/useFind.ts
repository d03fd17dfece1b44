/** Opens the bar that finds words in the conversation, and gives the focus back when it closes. */

import { useFeature } from '@messenger/react';
import { type KeyboardEvent, type RefObject, useCallback, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { isShortcut } from '../parts/shortcuts.ts';

export interface FindState {
  isOpen: boolean;
  /** Another number asks for the focus in the field again. */
  request: number;
  /** Undefined if the gateway cannot search. */
  open: (() => void) | undefined;
  close: () => void;
  handleKey: (event: KeyboardEvent<HTMLElement>) => void;
}

/** The focus goes back to where it was, or to `box`. */
export function useFind(box: RefObject<HTMLElement | null>): FindState {
  const canFind = useFeature('search');
  const [request, setRequest] = useState(0);
  const before = useRef<Element | null>(null);
  const open = useCallback(() => {
    before.current = document.activeElement;
    setRequest((last) => last + 1);
  }, []);
  const close = useCallback(() => {
    // The head, where the focus may have been, comes back first.
    flushSync(() => setRequest(0));
    const target = before.current?.isConnected ? before.current : box.current;
    if (target instanceof HTMLElement) target.focus({ preventScroll: true });
  }, [box]);
  /** The browser's own search stays in reach: a second press, in the field, is not taken. */
  const handleKey = (event: KeyboardEvent<HTMLElement>) => {
    const { target, currentTarget } = event;
    if (!canFind || !isShortcut(event.nativeEvent, 'f')) return;
    // Dialogs of the thread are elsewhere on the page.
    if (!(target instanceof HTMLElement) || !currentTarget.contains(target)) return;
    if (target.closest('.find-bar')) return;
    event.preventDefault();
    open();
  };
  return { isOpen: request > 0, request, open: canFind ? open : undefined, close, handleKey };
}
