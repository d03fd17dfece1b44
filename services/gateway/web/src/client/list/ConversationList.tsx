/** The list of conversations. It draws only the visible rows. One row takes the keyboard focus. */

import { type ConversationRow, useConversations } from '@messenger/react';
import { defaultRangeExtractor, type Range, useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useCallback, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { useT } from '../i18n/language.tsx';
import { ConversationItem } from './ConversationItem.tsx';
import { useFilteredConversations } from './useFilteredConversations.ts';

const ROW_PX = 68;
const OVERSCAN = 6;

export interface ConversationListProps {
  open: string | null;
  onOpen: (id: string) => void;
  onStart: () => void;
  filter: string;
}

export function ConversationList({ open, onOpen, onStart, filter }: ConversationListProps) {
  const t = useT();
  const { conversations, status, reload } = useConversations();
  const shown = useFilteredConversations(conversations, filter);
  if (status === 'failed' && conversations.length === 0) {
    return <ListMessage title={t('conversations.failed')} action={t('tryAgain')} onAction={reload} />;
  }
  if (status === 'loading' && conversations.length === 0) return <LoadingSkeleton />;
  if (conversations.length === 0) {
    const action = t('conversation.new');
    return (
      <ListMessage
        title={t('conversations.none')}
        about={t('conversations.none.about')}
        action={action}
        onAction={onStart}
      />
    );
  }
  if (shown.length === 0) return <ListMessage title={t('conversations.noMatch', { text: filter })} />;
  return <Rows rows={shown} open={open} onOpen={onOpen} />;
}

function Rows({
  rows,
  open,
  onOpen,
}: {
  rows: readonly ConversationRow[];
  open: string | null;
  onOpen: (id: string) => void;
}) {
  const t = useT();
  const box = useRef<HTMLDivElement>(null);
  // The row that has the keyboard focus, or the open one if none has had it yet.
  const [focusedId, setFocusedId] = useState<string | null>(null);
  const found = rows.findIndex((row) => row.id === (focusedId ?? open));
  const current = Math.max(0, found);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    getItemKey: useCallback((index: number) => rows[index]?.id ?? index, [rows]),
    overscan: OVERSCAN,
    rangeExtractor: useCallback((range: Range) => withIndex(range, current), [current]),
  });

  const move = (event: KeyboardEvent) => {
    const to = nextIndex(event.key, current, rows.length);
    const row = to === null ? undefined : rows[to];
    if (to === null || !row) return;
    event.preventDefault();
    // The row has to be drawn to take the focus, and the next key is already meant for it.
    flushSync(() => setFocusedId(row.id));
    box.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus({ preventScroll: true });
    virtual.scrollToIndex(to);
  };

  return (
    <div className="list-scroll" ref={box}>
      <ul
        className="list"
        aria-label={t('conversations')}
        style={{ height: virtual.getTotalSize() }}
        onKeyDown={move}
      >
        {virtual.getVirtualItems().map(({ key, index, start }) => {
          const row = rows[index];
          return row ? (
            <li key={key} className="list-row" style={{ transform: `translateY(${start}px)` }}>
              <ConversationItem
                row={row}
                isOpen={row.id === open}
                isCurrent={index === current}
                onOpen={onOpen}
              />
            </li>
          ) : null;
        })}
      </ul>
    </div>
  );
}

/** The row that takes the focus is drawn even when it is out of sight. Otherwise the focus would be lost. */
function withIndex(range: Range, index: number): number[] {
  const drawn = defaultRangeExtractor(range);
  if (index >= range.count || drawn.includes(index)) return drawn;
  return [...drawn, index].sort((a, b) => a - b);
}

const PAGE = 8;

function nextIndex(key: string, at: number, count: number): number | null {
  const steps: Record<string, number> = { ArrowUp: -1, ArrowDown: 1, PageUp: -PAGE, PageDown: PAGE };
  if (key === 'Home') return 0;
  if (key === 'End') return count - 1;
  const step = steps[key];
  return step === undefined ? null : Math.min(count - 1, Math.max(0, at + step));
}

function ListMessage({
  title,
  about,
  action,
  onAction,
}: {
  title: string;
  about?: string;
  action?: string;
  onAction?: () => void;
}) {
  return (
    <div className="empty-state">
      <h2>{title}</h2>
      {about && <p className="quiet">{about}</p>}
      {action && (
        <button type="button" className="button" onClick={onAction}>
          {action}
        </button>
      )}
    </div>
  );
}

function LoadingSkeleton() {
  return (
    <div className="list-loading" aria-hidden="true">
      {[1, 2, 3, 4, 5, 6, 7].map((n) => (
        <div key={n} className="skeleton" />
      ))}
    </div>
  );
}
