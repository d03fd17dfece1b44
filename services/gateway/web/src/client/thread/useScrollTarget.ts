/** Keeps a scroll to a message on its way while the loaded messages change, since the list knows its target only by index. */

import type { ChatMessage } from '@messenger/react';
import { useLayoutEffect, useRef } from 'react';
import type { Feed } from './feed.ts';

/** Call it before anything that scrolls the list. */
export function useScrollTarget(feed: Feed, messages: readonly ChatMessage[]): void {
  const before = useRef(messages);
  useLayoutEffect(() => {
    const known = before.current;
    before.current = messages;
    // On a slow machine, the next page comes before the list has reached its target. Nothing public tells the target.
    // biome-ignore lint/complexity/useLiteralKeys: only so TypeScript lets a private field be read.
    const scroll = feed['scrollState'];
    if (known === messages || !scroll || scroll.index === null || scroll.toEnd) return;
    const key = known[scroll.index]?.key;
    const index = messages.findIndex((message) => message.key === key);
    if (index < 0) feed.cancelScroll();
    else if (index !== scroll.index) feed.scrollToIndex(index, { align: scroll.align });
  });
}
