/**
 * Finds words in a conversation, in the place of its head. Enter goes to the next older hit, Shift and Enter to the next
 * newer one, Escape closes. How many hits there are, nobody knows.
 */

import { type ConversationRow, type SearchHit, type SearchView, useSearch } from '@messenger/react';
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import { failureText } from '../i18n/failures.ts';
import { useT } from '../i18n/language.tsx';
import { useTitle } from '../parts/conversationTitle.ts';
import { Icon, type IconName } from '../parts/Icon.tsx';
import { useUserName } from '../parts/UserName.tsx';
import { usePreview } from '../parts/usePreview.ts';
import { useTextField } from '../parts/useTextField.ts';
import { type Marks, NO_MARKS } from '../thread/marks.ts';
import type { JumpTarget } from '../thread/useJump.ts';
import { type HitWalk, useHitWalk } from './useHitWalk.ts';
import '../styles/search.css';

export interface FindBarProps {
  row: ConversationRow;
  /** When it changes, the field takes the focus. */
  request: number;
  onJump: (target: JumpTarget) => void;
  onMarks: (marks: Marks) => void;
  onClose: () => void;
}

export default function FindBar({ row, request, onJump, onMarks, onClose }: FindBarProps) {
  const t = useT();
  const { title } = useTitle(row);
  const [text, setText] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const search = useSearch(text, { conversationId: row.id });
  const walk = useHitWalk(search, ({ message }) => onJump({ messageId: message.id, keepsFocus: true }));
  useMarks(search, walk.current, onMarks);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each request asks for the focus.
  useEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, [request]);
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'Escape') onClose();
    else if (event.key === 'Enter' && event.shiftKey) walk.newer();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const { props } = useTextField({ field, value: text, onChange: setText, onEnter: walk.older, onKey });
  const hasHits = search.hits.length > 0;
  return (
    <search
      className="find-bar"
      aria-label={t('find.open')}
      onKeyDown={(event) => closeOnEscape(event, onClose)}
    >
      <h2 className="sr-only">{title}</h2>
      <Icon name="search" />
      <input
        {...props}
        ref={field}
        className="field"
        dir="auto"
        aria-label={t('find.label')}
        placeholder={t('find.label')}
        autoComplete="off"
        spellCheck={false}
        enterKeyHint="search"
      />
      <BarButton icon="up" label={t('find.older')} isOff={!hasHits} onClick={walk.older} />
      <BarButton icon="down" label={t('find.newer')} isOff={!hasHits} onClick={walk.newer} />
      <BarButton icon="close" label={t('find.close')} onClick={onClose} />
      <FindStatus search={search} walk={walk} />
    </search>
  );
}

function closeOnEscape(event: KeyboardEvent, onClose: () => void): void {
  if (event.key === 'Escape') onClose();
}

interface BarButtonProps {
  icon: IconName;
  label: string;
  isOff?: boolean;
  onClick: () => void;
}

/** A button without an effect can still have the focus. */
function BarButton({ icon, label, isOff = false, onClick }: BarButtonProps) {
  return (
    <button
      type="button"
      className="icon-button"
      aria-disabled={isOff}
      onClick={() => !isOff && onClick()}
      title={label}
    >
      <Icon name={icon} />
      <span className="sr-only">{label}</span>
    </button>
  );
}

/** Marks the hits in the messages, and takes the marks away at the end. */
function useMarks({ hits }: SearchView, current: SearchHit | null, onMarks: (marks: Marks) => void): void {
  const marks = useMemo(
    () =>
      new Map(
        hits.map((hit) => [hit.message.id, { places: hit.highlights, isCurrent: hit === current }] as const),
      ),
    [hits, current],
  );
  useEffect(() => onMarks(marks), [onMarks, marks]);
  useEffect(() => () => onMarks(NO_MARKS), [onMarks]);
}

function FindStatus({ search, walk }: { search: SearchView; walk: HitWalk }) {
  const t = useT();
  const { current, edge } = walk;
  const name = useUserName(current?.message.sender_id ?? null);
  const preview = usePreview(current?.message);
  const text = useStatusText(search, walk);
  const { failure, status, hasMore, isPartial } = search;
  const canGoOn = status === 'ready' && isPartial && hasMore && search.hits.length === 0;
  return (
    <>
      {(text || failure) && (
        <p className="find-status" role={failure ? 'alert' : 'status'}>
          <span>{failure ? failureText(t, failure) : text}</span>
          {failure && (
            <button type="button" className="button small" onClick={search.retry}>
              {t('tryAgain')}
            </button>
          )}
          {!failure && canGoOn && (
            <button type="button" className="button small" onClick={search.loadMore}>
              {t('search.goOn')}
            </button>
          )}
        </p>
      )}
      <p className="sr-only" role="status">
        {current && !edge && !text ? t('message.preview', { name, text: preview }) : ''}
      </p>
    </>
  );
}

function useStatusText(
  { status, hits, isPartial, hasMore, isLoadingMore }: SearchView,
  walk: HitWalk,
): string {
  const t = useT();
  if (status === 'short') return t('search.short');
  if ((status === 'searching' && hits.length === 0) || walk.isWaiting) return t('search.searching');
  if (walk.edge) return t(`find.${walk.edge}`);
  if (status !== 'ready' || hits.length > 0) return '';
  if (isLoadingMore) return t('search.searching');
  return t(isPartial && hasMore ? 'search.partial' : 'find.none');
}
