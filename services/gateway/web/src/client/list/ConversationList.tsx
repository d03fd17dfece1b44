/** Owns the list of conversations: as many rows as are in sight, one of which takes the keyboard. */

import { type ConversationRow, useConversations, useMessenger } from '@messenger/react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useCallback, useMemo, useRef, useState } from 'react';
import { useT } from '../i18n/language.tsx';
import { ConversationItem } from './ConversationItem.tsx';

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
  const shown = useFiltered(conversations, filter);
  if (status === 'failed' && conversations.length === 0) {
    return <Word title={t('conversations.failed')} action={t('gate.again')} onAction={reload} />;
  }
  if (status === 'loading' && conversations.length === 0) return <Loading />;
  if (conversations.length === 0) {
    const action = t('conversation.new');
    return (
      <Word
        title={t('conversations.none')}
        about={t('conversations.none.about')}
        action={action}
        onAction={onStart}
      />
    );
  }
  if (shown.length === 0) return <Word title={t('conversations.unfound', { text: filter })} />;
  return <Rows rows={shown} open={open} onOpen={onOpen} />;
}

/** By title, by the newest message, or by the name of the other. */
function useFiltered(rows: readonly ConversationRow[], filter: string): readonly ConversationRow[] {
  const t = useT();
  const { session } = useMessenger();
  return useMemo(() => {
    const text = filter.trim().toLocaleLowerCase();
    if (!text) return rows;
    const nameOf = (id: number) => session.get()?.people.name(id).get() ?? t('user', { id: String(id) });
    const others = (row: ConversationRow) => {
      const members = session.get()?.room(row.id)?.participants.get() ?? [];
      return row.type === 'direct' ? members.map((each) => nameOf(each.user_id)) : [];
    };
    return rows.filter((row) =>
      [row.title, row.last_message?.content, ...others(row)].some((each) =>
        each?.toLocaleLowerCase().includes(text),
      ),
    );
  }, [rows, filter, session, t]);
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
  // Where the keyboard is; the open one when it has not been here yet.
  const [at, setAt] = useState<string | null>(null);
  const found = rows.findIndex((row) => row.id === (at ?? open));
  const current = Math.max(0, found);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    getItemKey: useCallback((index: number) => rows[index]?.id ?? index, [rows]),
    overscan: OVERSCAN,
  });

  const move = (event: KeyboardEvent) => {
    const to = target(event.key, current, rows.length);
    const row = to === null ? undefined : rows[to];
    if (to === null || !row) return;
    event.preventDefault();
    setAt(row.id);
    virtual.scrollToIndex(to);
    // When the row is drawn.
    requestAnimationFrame(() => box.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus());
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

const PAGE = 8;

function target(key: string, at: number, count: number): number | null {
  const steps: Record<string, number> = { ArrowUp: -1, ArrowDown: 1, PageUp: -PAGE, PageDown: PAGE };
  if (key === 'Home') return 0;
  if (key === 'End') return count - 1;
  const step = steps[key];
  return step === undefined ? null : Math.min(count - 1, Math.max(0, at + step));
}

function Word({
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
    <div className="blank">
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

function Loading() {
  return (
    <div className="list-loading" aria-hidden="true">
      {[1, 2, 3, 4, 5, 6, 7].map((n) => (
        <div key={n} className="ghost" />
      ))}
    </div>
  );
}
