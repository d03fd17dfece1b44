/** Goes to a message of the conversation, which is loaded first if need be, and back to the newest one. */

import { type Failure, type MessagesView, MessengerError } from '@messenger/react';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { Feed } from './feed.ts';
import type { FeedKeys } from './useFeedKeys.ts';

/** Each press makes a new object, so that the same message can be gone to again. */
export interface JumpTarget {
  messageId: string;
  /** The focus stays where it is. Otherwise the message gets it. */
  keepsFocus?: boolean;
}

/** The message is marked for this long. */
const FOUND_MS = 2_000;

export interface Jump {
  /** The key of the message that the user has just gone to. */
  found: string | null;
  /** Whether the message is still being loaded. */
  isPending: boolean;
  /** Why the message could not be loaded. */
  failure: Failure | null;
}

export function useJump(feed: Feed, view: MessagesView, keys: FeedKeys, target: JumpTarget | null): Jump {
  const { messages, loadAround } = view;
  const [found, setFound] = useState<string | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [settled, setSettled] = useState<JumpTarget | null>(null);
  const isPending = target !== null && settled !== target;
  const newest = useRef(loadAround);
  useEffect(() => {
    newest.current = loadAround;
  });

  useEffect(() => {
    setFailure(null);
    if (!target) return;
    let isWanted = true;
    newest.current(target.messageId).catch((error: unknown) => {
      if (!(error instanceof MessengerError)) throw error;
      if (!isWanted) return;
      setSettled(target);
      setFailure(error);
    });
    return () => {
      isWanted = false;
    };
  }, [target]);

  useLayoutEffect(() => {
    if (!isPending) return;
    const index = messages.findIndex((message) => message.id === target.messageId);
    const message = messages[index];
    if (!message) return;
    setSettled(target);
    feed.scrollToIndex(index, { align: 'center' });
    if (!target.keepsFocus) keys.focus(index);
    setFound(message.key);
  });

  useEffect(() => {
    if (found === null) return;
    const timer = setTimeout(() => setFound(null), FOUND_MS);
    return () => clearTimeout(timer);
  }, [found]);
  return { found, isPending, failure };
}

/** Returns a function that goes to the newest message, and loads it first if the loaded ones end before it. */
export function useReturnToNewest(feed: Feed, view: MessagesView): () => void {
  const { hasNewer, loadNewest } = view;
  const isWanted = useRef(false);
  useLayoutEffect(() => {
    if (!isWanted.current || hasNewer) return;
    isWanted.current = false;
    feed.scrollToEnd();
  });
  return useCallback(() => {
    if (!hasNewer) return feed.scrollToEnd();
    isWanted.current = true;
    // The text above the messages, and the banner, say that there is no connection.
    loadNewest().catch(() => {
      isWanted.current = false;
    });
  }, [feed, hasNewer, loadNewest]);
}
