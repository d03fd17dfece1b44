/**
 * Handles the keyboard in the message list. One message has the focus, and the arrow keys move it, even when
 * messages are drawn in the meantime.
 */

import type { ChatMessage } from '@messenger/react';
import { defaultRangeExtractor, type Range } from '@tanstack/react-virtual';
import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { Feed } from './feed.ts';

const PAGE = 8;

export interface FeedKeys {
  /** The message that takes the focus: the one that last had it, or else the newest. */
  current: number;
  setCurrent: (key: string) => void;
  focus: (index: number) => void;
  move: (event: KeyboardEvent, feed: Feed) => void;
  /** The message with the focus is drawn even when it is out of sight. Otherwise the focus would be lost. */
  withCurrent: (range: Range) => number[];
}

export function useFeedKeys(messages: readonly ChatMessage[]): FeedKeys {
  const [key, setKey] = useState<string | null>(null);
  const pendingFocus = useRef<string | null>(null);
  const found = useMemo(
    () => (key === null ? -1 : messages.findIndex((message) => message.key === key)),
    [messages, key],
  );
  const current = found >= 0 ? found : messages.length - 1;
  const hasCurrent = found >= 0;

  // The message has to be drawn first, which may take another round if it was far away.
  useEffect(() => {
    if (pendingFocus.current === null) return;
    const row = document.querySelector<HTMLElement>(`[data-key="${CSS.escape(pendingFocus.current)}"]`);
    if (!row) return;
    pendingFocus.current = null;
    row.focus({ preventScroll: true });
  });

  const focus = useCallback(
    (index: number) => {
      const to = messages[index]?.key;
      if (to === undefined) return;
      pendingFocus.current = to;
      setKey(to);
      document.querySelector<HTMLElement>(`[data-key="${CSS.escape(to)}"]`)?.focus({ preventScroll: true });
    },
    [messages],
  );

  const move = useCallback(
    (event: KeyboardEvent, feed: Feed) => {
      // The list itself had the focus while it was empty.
      const isOnRow =
        event.target === event.currentTarget ||
        (event.target instanceof HTMLElement && event.target.dataset.key !== undefined);
      const to = isOnRow ? nextIndex(event.key, current, messages.length) : null;
      if (to === null || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      feed.scrollToIndex(to, { align: 'auto' });
      focus(to);
    },
    [current, messages.length, focus],
  );

  const withCurrent = useCallback(
    (range: Range) => {
      const drawn = defaultRangeExtractor(range);
      if (!hasCurrent || drawn.includes(current)) return drawn;
      return [...drawn, current].sort((a, b) => a - b);
    },
    [current, hasCurrent],
  );

  return useMemo(
    () => ({ current, setCurrent: setKey, focus, move, withCurrent }),
    [current, focus, move, withCurrent],
  );
}

function nextIndex(key: string, at: number, count: number): number | null {
  const steps: Record<string, number> = { ArrowUp: -1, ArrowDown: 1, PageUp: -PAGE, PageDown: PAGE };
  if (key === 'Home') return 0;
  if (key === 'End') return count - 1;
  const step = steps[key];
  return step === undefined ? null : Math.min(count - 1, Math.max(0, at + step));
}
