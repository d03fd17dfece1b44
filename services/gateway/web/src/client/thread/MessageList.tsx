/**
 * The messages of a conversation on the screen. It draws only the visible ones. It starts at the first unread
 * message or at the newest, and keeps its position while older messages are added above.
 */

import { type ChatMessage, type ConversationRow, type MessagesView, usePins } from '@messenger/react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useT } from '../i18n/language.tsx';
import { useToday } from '../i18n/today.ts';
import { FailureText } from '../parts/FailureText.tsx';
import { Announcer } from './Announcer.tsx';
import { FeedTop, JumpToNewest } from './FeedEdges.tsx';
import type { Feed } from './feed.ts';
import { JumpToMention } from './JumpToMention.tsx';
import { MessageItem } from './MessageItem.tsx';
import { MessageMenu } from './MessageMenu.tsx';
import type { Marks } from './marks.ts';
import { estimateHeight, firstUnread, groupPositionOf } from './messageGroups.ts';
import { PinsBar } from './PinsBar.tsx';
import { type ReactionDialog, ReactionDialogs } from './ReactionDialogs.tsx';
import type { ComposerTarget } from './useComposerTarget.ts';
import { useFeedKeys } from './useFeedKeys.ts';
import { useHasFocus } from './useHasFocus.ts';
import { type Jump, type JumpTarget, useJump, useReturnToNewest } from './useJump.ts';
import type { VisibleRange } from './usePendingMentions.ts';
import { useScrollTarget } from './useScrollTarget.ts';

/** Within this distance from the end, the list counts as being at the end. */
const NEAR_PX = 80;
/** Within this many rows from the first or the last loaded message, more messages are loaded. */
const NEAR_ROWS = 25;
const OVERSCAN = 6;
/** The space for the status text above the messages. */
const TOP_PX = 44;

export interface MessageListProps {
  row: ConversationRow;
  view: MessagesView;
  /** The message to go to, loaded or not. A new object goes there again. */
  jumpTarget: JumpTarget | null;
  onTarget: (target: ComposerTarget) => void;
  onJump: (messageId: string) => void;
  /** The places that a search has found, by message id. */
  marks: Marks;
}

export function MessageList({ row, view, jumpTarget, onTarget, onJump, marks }: MessageListProps) {
  const t = useT();
  const { messages } = view;
  // Redraws when the day or the time zone changes, because messages are grouped by day.
  useToday();
  const box = useRef<HTMLDivElement>(null);
  const [menu, setMenu] = useState<{ message: ChatMessage; anchor: Element } | null>(null);
  const getItemKey = useCallback((index: number) => messages[index]?.key ?? index, [messages]);
  const keys = useFeedKeys(messages);
  const { hasOlder, isLoadingOlder, hasNewer, isLoadingNewer, status, loadOlder, loadNewer } = view;
  const wasPartial = usePrevious(hasNewer);
  const feed: Feed = useVirtualizer<HTMLDivElement, HTMLElement>({
    count: messages.length,
    getScrollElement: () => box.current,
    estimateSize: (index) => estimateHeight(messages[index]),
    getItemKey,
    overscan: OVERSCAN,
    anchorTo: 'end',
    // Newer messages that the user scrolls to are no reason to move.
    followOnAppend: !hasNewer && !wasPartial,
    scrollEndThreshold: NEAR_PX,
    paddingStart: TOP_PX,
    rangeExtractor: keys.withCurrent,
  });
  useScrollTarget(feed, messages);
  const firstUnreadKey = useFirstUnread(row, view);
  const jump = useJump(feed, view, keys, jumpTarget);
  const goToNewest = useReturnToNewest(feed, view);
  useAutoScroll(feed, view, jump, firstUnreadKey, goToNewest);
  // Before the list is measured, it counts as being at the end, where it starts.
  const isAtEnd = !hasNewer && (feed.scrollRect === null || feed.isAtEnd());
  useMarkRead(view, row, isAtEnd && !jump.isPending);
  const items = feed.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const canLoad = status === 'ready' && items.length > 0 && !view.failure;
  const isNearFirst = canLoad && hasOlder && !isLoadingOlder && first < NEAR_ROWS;
  useEffect(() => {
    if (isNearFirst) loadOlder();
  }, [isNearFirst, loadOlder]);
  const last = items.at(-1)?.index ?? 0;
  const isNearLast = canLoad && hasNewer && !isLoadingNewer && last >= messages.length - NEAR_ROWS;
  useEffect(() => {
    if (isNearLast) loadNewer();
  }, [isNearLast, loadNewer]);

  const openMenu = useCallback((message: ChatMessage, anchor: Element) => setMenu({ message, anchor }), []);
  const closeMenu = useCallback(() => setMenu(null), []);
  const [reactionDialog, setReactionDialog] = useState<ReactionDialog | null>(null);
  const closeReactionDialog = useCallback(() => setReactionDialog(null), []);
  const [announcement, announce] = useState('');
  const pins = usePins(row.id);

  return (
    <>
      <PinsBar row={row} view={pins} feed={box} onJump={onJump} />
      <div className="feed-box">
        <div
          className="feed-scroll"
          ref={box}
          role="feed"
          aria-label={t('messages')}
          aria-busy={isLoadingOlder || status === 'loading'}
          onKeyDown={(event) => keys.move(event, feed)}
          // Without messages, nothing else in the feed can take the focus.
          tabIndex={messages.length === 0 ? 0 : -1}
        >
          <div className="feed" style={{ height: feed.getTotalSize() }}>
            <FeedTop view={view} />
            {items.map(({ key, index, start }) => {
              const message = messages[index];
              return message ? (
                <MessageItem
                  key={key}
                  message={message}
                  groupPosition={groupPositionOf(messages[index - 1], message, messages[index + 1])}
                  quoted={
                    message.reply_to ? messages.find((other) => other.id === message.reply_to) : undefined
                  }
                  startsUnread={message.key === firstUnreadKey}
                  isGroup={row.type !== 'direct'}
                  isCurrent={index === keys.current}
                  index={index}
                  isFound={message.key === jump.found}
                  marks={marks.get(message.id)}
                  count={hasOlder || hasNewer ? -1 : messages.length}
                  top={start}
                  measure={feed.measureElement}
                  onFocus={keys.setCurrent}
                  onMenu={openMenu}
                  onTarget={onTarget}
                  onReactionDialog={setReactionDialog}
                  onAnnounce={announce}
                  onGoTo={onJump}
                  onRetry={view.retry}
                  onDiscard={view.discard}
                />
              ) : null;
            })}
          </div>
        </div>
        <JumpToMention row={row} messages={messages} visible={visibleRange(feed, messages)} onJump={onJump} />
        {!isAtEnd && <JumpToNewest row={row} onClick={goToNewest} />}
        <div className="jump-failure">
          <FailureText failure={jump.failure} />
        </div>
        <Announcer messages={messages} isReady={status === 'ready'} />
        <p className="sr-only" aria-live="polite">
          {announcement}
        </p>
        {menu && (
          <MessageMenu
            {...menu}
            view={view}
            row={row}
            onTarget={onTarget}
            onReactionDialog={setReactionDialog}
            onAnnounce={announce}
            onClose={closeMenu}
          />
        )}
        {reactionDialog && (
          <ReactionDialogs dialog={reactionDialog} onAnnounce={announce} onClose={closeReactionDialog} />
        )}
      </div>
    </>
  );
}

function visibleRange({ range }: Feed, messages: readonly ChatMessage[]): VisibleRange {
  const first = messages[range?.startIndex ?? messages.length]?.seq ?? Number.POSITIVE_INFINITY;
  // Unsent messages have no `seq`.
  return { first, last: messages[range?.endIndex ?? messages.length]?.seq || Number.POSITIVE_INFINITY };
}

/** The position stays as it was when the conversation was opened, or when the user came back to it. */
function useFirstUnread(row: ConversationRow, view: MessagesView): string | null {
  const [from, setFrom] = useState<string | null>(null);
  const marked = row.marked_unread_from;
  const readSeq = useRef(marked === null ? row.read_seq : marked - 1);
  const hasFocus = useHasFocus();
  const wasAway = useRef(true);
  const { messages, status, hasNewer } = view;
  const lastSeq = row.last_seq;
  useEffect(() => {
    if (status !== 'ready') return;
    if (!hasFocus && !wasAway.current) {
      wasAway.current = true;
      readSeq.current = hasNewer ? lastSeq : (messages.findLast((message) => message.seq > 0)?.seq ?? 0);
    }
    if (!wasAway.current) return;
    setFrom(firstUnread(messages, readSeq.current));
    if (hasFocus) wasAway.current = false;
  }, [messages, status, hasNewer, lastSeq, hasFocus]);
  const isMarked = useRef(marked);
  useEffect(() => {
    if (marked !== null && marked !== isMarked.current) setFrom(firstUnread(messages, marked - 1));
    isMarked.current = marked;
  }, [marked, messages]);
  return from;
}

/** On the first draw, scrolls to the first unread message, or else to the newest, unless the user went to another. */
function useAutoScroll(
  feed: Feed,
  view: MessagesView,
  { isPending, found }: Jump,
  firstUnreadKey: string | null,
  goToNewest: () => void,
): void {
  const isStarted = useRef(false);
  const isMoved = useRef(false);
  const { status, messages } = view;
  useLayoutEffect(() => {
    if (isStarted.current || isPending || status !== 'ready' || messages.length === 0) return;
    isStarted.current = true;
    isMoved.current = found !== null;
    if (found === null) goToNewest();
  }, [status, messages.length, isPending, found, goToNewest]);
  // A user who sends a message wants to see it.
  const last = messages.at(-1);
  const lastKey = useRef(last?.key);
  useLayoutEffect(() => {
    if (last && last.key !== lastKey.current && last.status === 'sending') goToNewest();
    lastKey.current = last?.key;
  }, [last, goToNewest]);
  useLayoutEffect(() => {
    if (isMoved.current || isPending || firstUnreadKey === null) return;
    isMoved.current = true;
    const index = messages.findIndex((message) => message.key === firstUnreadKey);
    if (index >= 0) feed.scrollToIndex(index, { align: 'start' });
  }, [feed, messages, isPending, firstUnreadKey]);
}

/**
 * Marks messages as read when they are on the screen of a user who is there. A mark as unread is cleared the
 * next time the user opens the conversation.
 */
function useMarkRead(view: MessagesView, row: ConversationRow, isAtEnd: boolean): void {
  const hasFocus = useHasFocus();
  const { markRead, messages, status } = view;
  const newest = messages.length;
  useEffect(() => {
    if (hasFocus && isAtEnd && status === 'ready' && newest > 0 && row.last_seq > row.read_seq) markRead();
  }, [hasFocus, isAtEnd, status, newest, row.last_seq, row.read_seq, markRead]);
  // A mark that the user sets while the conversation is open stays. New messages do not clear it.
  const wasMarked = useRef(row.marked_unread_from !== null);
  const isAllRead = row.last_seq <= row.read_seq;
  useEffect(() => {
    if (!wasMarked.current || !hasFocus || status !== 'ready' || !isAllRead) return;
    wasMarked.current = false;
    markRead();
  }, [hasFocus, status, isAllRead, markRead]);
}

/** The value of the draw before this one. */
function usePrevious<T>(value: T): T {
  const previous = useRef(value);
  const before = previous.current;
  useLayoutEffect(() => {
    previous.current = value;
  });
  return before;
}
