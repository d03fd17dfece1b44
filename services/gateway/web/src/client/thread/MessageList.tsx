/**
 * Owns the messages of a conversation on the screen: those in sight, from the unread ones on or the newest,
 * standing still while older ones come in above.
 */

import type { ChatMessage, ConversationRow, MessagesView } from '@messenger/react';
import { useVirtualizer, type Virtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useT } from '../i18n/language.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Announcer } from './Announcer.tsx';
import { MessageItem } from './MessageItem.tsx';
import { MessageMenu } from './MessageMenu.tsx';
import { estimate, firstUnread, placeOf } from './rows.ts';
import type { Aim } from './Thread.tsx';
import { useFeedKeys } from './useFeedKeys.ts';
import { useHasFocus } from './useHasFocus.ts';

/** So near to the end counts as being there. */
const NEAR_PX = 80;
/** So near to the beginning of what is held, older ones are read. */
const NEAR_ROWS = 25;
const OVERSCAN = 6;
/** The place of what is said above the messages. */
const TOP_PX = 44;

export interface MessageListProps {
  row: ConversationRow;
  me: number;
  view: MessagesView;
  onAim: (aim: Aim) => void;
}

export type Feed = Virtualizer<HTMLDivElement, HTMLElement>;

export function MessageList({ row, view, onAim }: MessageListProps) {
  const t = useT();
  const { messages } = view;
  const box = useRef<HTMLDivElement>(null);
  const [menu, setMenu] = useState<{ message: ChatMessage; anchor: Element } | null>(null);
  const getItemKey = useCallback((index: number) => messages[index]?.key ?? index, [messages]);
  const keys = useFeedKeys(messages);
  const feed: Feed = useVirtualizer<HTMLDivElement, HTMLElement>({
    count: messages.length,
    getScrollElement: () => box.current,
    estimateSize: (index) => estimate(messages[index]),
    getItemKey,
    overscan: OVERSCAN,
    anchorTo: 'end',
    followOnAppend: true,
    scrollEndThreshold: NEAR_PX,
    paddingStart: TOP_PX,
    rangeExtractor: keys.withCurrent,
  });
  const unreadFrom = useUnreadFrom(row, view);
  useStart(feed, view, unreadFrom);
  // Before it has been measured, it is where it will be put.
  const isAtEnd = feed.scrollRect === null || feed.isAtEnd();
  useReading(view, row, isAtEnd);
  const items = feed.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const { hasOlder, isLoadingOlder, status, loadOlder } = view;
  const canLoad = status === 'ready' && hasOlder && !isLoadingOlder && !view.failure;
  useEffect(() => {
    if (canLoad && items.length > 0 && first < NEAR_ROWS) loadOlder();
  }, [canLoad, first, items.length, loadOlder]);

  const goTo = useCallback(
    (id: string) => {
      const index = messages.findIndex((message) => message.id === id);
      if (index < 0) return;
      feed.scrollToIndex(index, { align: 'center' });
      keys.focus(index);
    },
    [messages, feed, keys],
  );
  const openMenu = useCallback((message: ChatMessage, anchor: Element) => setMenu({ message, anchor }), []);
  const closeMenu = useCallback(() => setMenu(null), []);

  return (
    <div className="feed-box">
      <div
        className="feed-scroll"
        ref={box}
        role="feed"
        aria-label={t('messages')}
        aria-busy={isLoadingOlder || status === 'loading'}
        onKeyDown={(event) => keys.move(event, feed)}
        // A feed whose messages are few has nothing else to take the keyboard.
        tabIndex={messages.length === 0 ? 0 : -1}
      >
        <div className="feed" style={{ height: feed.getTotalSize() }}>
          <Top view={view} />
          {items.map(({ key, index, start }) => {
            const message = messages[index];
            return message ? (
              <MessageItem
                key={key}
                message={message}
                place={placeOf(messages[index - 1], message, messages[index + 1])}
                quoted={
                  message.reply_to ? messages.find((other) => other.id === message.reply_to) : undefined
                }
                startsUnread={message.key === unreadFrom}
                isGroup={row.type !== 'direct'}
                isCurrent={index === keys.current}
                index={index}
                count={hasOlder ? -1 : messages.length}
                top={start}
                measure={feed.measureElement}
                onFocus={keys.take}
                onMenu={openMenu}
                onAim={onAim}
                onGoTo={goTo}
                onRetry={view.retry}
                onDiscard={view.discard}
              />
            ) : null;
          })}
        </div>
      </div>
      {!isAtEnd && <Newest row={row} onClick={() => feed.scrollToEnd()} />}
      <Announcer messages={messages} isReady={status === 'ready'} />
      {menu && <MessageMenu {...menu} view={view} row={row} onAim={onAim} onClose={closeMenu} />}
    </div>
  );
}

/** Above the messages: that there are more, none, or that they could not be read. */
function Top({ view }: { view: MessagesView }) {
  const t = useT();
  if (view.status === 'loading' || view.status === 'empty')
    return <p className="feed-top quiet">{t('messages.loading')}</p>;
  if (view.failure) {
    return (
      <p className="feed-top failed" role="alert">
        {t(view.status === 'failed' ? 'messages.failed' : 'messages.older.failed')}{' '}
        <button
          type="button"
          className="button small"
          onClick={view.status === 'failed' ? view.reload : view.loadOlder}
        >
          {t('gate.again')}
        </button>
      </p>
    );
  }
  if (view.isLoadingOlder) return <p className="feed-top quiet">{t('messages.older')}</p>;
  if (view.hasOlder) return <p className="feed-top" />;
  return <p className="feed-top quiet">{t(view.messages.length ? 'messages.begin' : 'messages.none')}</p>;
}

function Newest({ row, onClick }: { row: ConversationRow; onClick: () => void }) {
  const t = useT();
  return (
    <button type="button" className="newest" onClick={onClick} title={t('messages.newest')}>
      {row.unread > 0 && <span>{t('messages.more', { count: row.unread })}</span>}
      <Icon name="down" />
      <span className="sr-only">{t('messages.newest')}</span>
    </button>
  );
}

/** Stays where it was when the conversation was opened, or when the user came back to it. */
function useUnreadFrom(row: ConversationRow, view: MessagesView): string | null {
  const [from, setFrom] = useState<string | null>(null);
  const readSeq = useRef(row.read_seq);
  const hasFocus = useHasFocus();
  const wasAway = useRef(true);
  const { messages, status } = view;
  useEffect(() => {
    if (status !== 'ready') return;
    if (!hasFocus && !wasAway.current) {
      wasAway.current = true;
      readSeq.current = messages.findLast((message) => message.seq > 0)?.seq ?? 0;
    }
    if (!wasAway.current) return;
    setFrom(firstUnread(messages, readSeq.current));
    if (hasFocus) wasAway.current = false;
  }, [messages, status, hasFocus]);
  return from;
}

/** At the first sight: the unread ones if there are any, else the newest. */
function useStart(feed: Feed, view: MessagesView, unreadFrom: string | null): void {
  const isStarted = useRef(false);
  const { status, messages } = view;
  useLayoutEffect(() => {
    if (isStarted.current || status !== 'ready' || messages.length === 0) return;
    isStarted.current = true;
    feed.scrollToEnd();
  }, [feed, status, messages.length]);
  // Whoever says something wants to see it said.
  const last = messages.at(-1);
  const lastKey = useRef(last?.key);
  useLayoutEffect(() => {
    if (last && last.key !== lastKey.current && last.status === 'sending') feed.scrollToEnd();
    lastKey.current = last?.key;
  }, [feed, last]);
  const isMoved = useRef(false);
  useLayoutEffect(() => {
    if (isMoved.current || unreadFrom === null) return;
    isMoved.current = true;
    const index = messages.findIndex((message) => message.key === unreadFrom);
    if (index >= 0) feed.scrollToIndex(index, { align: 'start' });
  }, [feed, messages, unreadFrom]);
}

/** Read is what was on the screen of somebody who is there. */
function useReading(view: MessagesView, row: ConversationRow, isAtEnd: boolean): void {
  const hasFocus = useHasFocus();
  const { markRead, messages, status } = view;
  const newest = messages.length;
  useEffect(() => {
    if (hasFocus && isAtEnd && status === 'ready' && newest > 0 && row.last_seq > row.read_seq) markRead();
  }, [hasFocus, isAtEnd, status, newest, row.last_seq, row.read_seq, markRead]);
}
