/** Owns the keyboard in the feed: one message takes it, the arrows hand it on, whatever is drawn meanwhile. */

import type { ChatMessage } from '@messenger/react';
import { defaultRangeExtractor, type Range } from '@tanstack/react-virtual';
import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { Feed } from './MessageList.tsx';

const PAGE = 8;

export interface FeedKeys {
  /** The message that takes the keyboard: the one that last had it, else the newest. */
  current: number;
  take: (key: string) => void;
  focus: (index: number) => void;
  move: (event: KeyboardEvent, feed: Feed) => void;
  /** Drawn even when it is out of sight, else the keyboard would be nowhere. */
  withCurrent: (range: Range) => number[];
}

export function useFeedKeys(messages: readonly ChatMessage[]): FeedKeys {
  const [key, setKey] = useState<string | null>(null);
  const wanted = useRef<string | null>(null);
  const found = useMemo(
    () => (key === null ? -1 : messages.findIndex((message) => message.key === key)),
    [messages, key],
  );
  const current = found >= 0 ? found : messages.length - 1;
  const isHeld = found >= 0;

  // After it is drawn, which may take another turn when it was far away.
  useEffect(() => {
    if (wanted.current === null) return;
    const row = document.querySelector<HTMLElement>(`[data-key="${CSS.escape(wanted.current)}"]`);
    if (!row) return;
    wanted.current = null;
    row.focus({ preventScroll: true });
  });

  const focus = useCallback(
    (index: number) => {
      const to = messages[index]?.key;
      if (to === undefined) return;
      wanted.current = to;
      setKey(to);
      document.querySelector<HTMLElement>(`[data-key="${CSS.escape(to)}"]`)?.focus({ preventScroll: true });
    },
    [messages],
  );

  const move = useCallback(
    (event: KeyboardEvent, feed: Feed) => {
      // The feed itself had it while it was empty.
      const isOnRow =
        event.target === event.currentTarget ||
        (event.target instanceof HTMLElement && event.target.dataset.key !== undefined);
      const to = isOnRow ? target(event.key, current, messages.length) : null;
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
      if (!isHeld || drawn.includes(current)) return drawn;
      return [...drawn, current].sort((a, b) => a - b);
    },
    [current, isHeld],
  );

  return useMemo(
    () => ({ current, take: setKey, focus, move, withCurrent }),
    [current, focus, move, withCurrent],
  );
}

function target(key: string, at: number, count: number): number | null {
  const steps: Record<string, number> = { ArrowUp: -1, ArrowDown: 1, PageUp: -PAGE, PageDown: PAGE };
  if (key === 'Home') return 0;
  if (key === 'End') return count - 1;
  const step = steps[key];
  return step === undefined ? null : Math.min(count - 1, Math.max(0, at + step));
}
