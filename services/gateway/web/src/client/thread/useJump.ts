/** Goes to a message of the conversation, which is loaded first if need be, and back to the newest one. */

import { type Failure, type MessagesView, MessengerError } from '@messenger/react';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { Feed } from './feed.ts';
import type { FeedKeys } from './useFeedKeys.ts';

/** Each press makes a new object, so that the same message can be gone to again. */
export interface JumpTarget {
  seq: number;
}

/** The message is marked for this long. */
const FOUND_MS = 2_000;

export interface Jump {
  /** The key of the message that the user has just gone to. */
  found: string | null;
  /** Why the message could not be loaded. */
  failure: Failure | null;
}

export function useJump(feed: Feed, view: MessagesView, keys: FeedKeys, target: JumpTarget | null): Jump {
  const { messages, loadAround } = view;
  const [found, setFound] = useState<string | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const waiting = useRef<JumpTarget | null>(null);
  const newest = useRef(loadAround);
  useEffect(() => {
    newest.current = loadAround;
  });

  useLayoutEffect(() => {
    waiting.current = target;
  }, [target]);
  useEffect(() => {
    setFailure(null);
    if (!target) return;
    const refused = (error: unknown) => {
      if (!(error instanceof MessengerError)) throw error;
      if (waiting.current !== target) return;
      waiting.current = null;
      setFailure(error);
    };
    newest.current(target.seq).catch(refused);
  }, [target]);

  useLayoutEffect(() => {
    const index = messages.findIndex((message) => message.seq === target?.seq);
    const message = messages[index];
    if (!message || !target || waiting.current !== target) return;
    waiting.current = null;
    feed.scrollToIndex(index, { align: 'center' });
    keys.focus(index);
    setFound(message.key);
  });

  useEffect(() => {
    if (found === null) return;
    const timer = setTimeout(() => setFound(null), FOUND_MS);
    return () => clearTimeout(timer);
  }, [found]);
  return { found, failure };
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
