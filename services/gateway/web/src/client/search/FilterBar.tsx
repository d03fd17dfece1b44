/** The filters of the search for messages: a row of chips. A chip with a value to choose opens a field below the row. */

import { useConversation } from '@messenger/react';
import { useEffect, useId, useRef, useState } from 'react';
import { formatFilterDay } from '../i18n/dates.ts';
import { useLanguage, useT } from '../i18n/language.tsx';
import { useTitle } from '../parts/conversationTitle.ts';
import { Icon } from '../parts/Icon.tsx';
import { useUserName } from '../parts/UserName.tsx';
import { ConversationFilter } from './ConversationFilter.tsx';
import { DayFilter } from './DayFilter.tsx';
import { type ChosenFilters, withFilters } from './filters.ts';
import { PersonFilter } from './PersonFilter.tsx';

export interface FilterBarProps {
  filters: ChosenFilters;
  /** The open conversation. */
  open: string | null;
  onFilters: (filters: ChosenFilters) => void;
}

type Editor = 'from' | 'in' | 'days';

export function FilterBar({ filters, open, onFilters }: FilterBarProps) {
  const t = useT();
  const id = useId();
  const [editor, setEditor] = useState<Editor | null>(null);
  const bar = useRef<HTMLFieldSetElement>(null);
  const labels = useLabels(filters);
  const change = (next: Parameters<typeof withFilters>[1]) => onFilters(withFilters(filters, next));
  const close = () => setEditor(null);
  // A field that opens takes the focus. When it closes, its chip gets it.
  const before = useRef(editor);
  useEffect(() => {
    const target = editor === null ? `[data-editor="${before.current}"]` : '.filter-editor input';
    if (editor !== before.current) bar.current?.querySelector<HTMLElement>(target)?.focus();
    before.current = editor;
  }, [editor]);
  const chosen = (next: Parameters<typeof withFilters>[1]) => {
    change(next);
    close();
  };
  const chip = (name: Editor, label: string | null, text: string, cleared: typeof filters | object) => (
    <ValueChip
      name={name}
      label={label}
      text={text}
      editorId={`${id}-editor`}
      isOpen={editor === name}
      onOpen={() => setEditor(editor === name ? null : name)}
      onClear={() => change(cleared)}
    />
  );
  const toggle = (has: 'file' | 'link', text: string) => (
    <button
      type="button"
      className="filter-chip"
      aria-pressed={filters.has === has}
      onClick={() => change({ has: filters.has === has ? undefined : has })}
    >
      {text}
    </button>
  );
  return (
    <fieldset
      className="filters"
      ref={bar}
      onKeyDown={(event) => event.key === 'Escape' && editor !== null && close()}
    >
      <legend className="sr-only">{t('search.filters')}</legend>
      <div className="filter-chips">
        {chip('from', labels.from, t('search.from'), { from: undefined })}
        {chip('in', labels.in, t('search.in'), { conversationId: undefined })}
        {toggle('file', t('search.hasFile'))}
        {toggle('link', t('search.hasLink'))}
        {chip('days', labels.days, t('search.days'), { since: undefined, until: undefined })}
      </div>
      {editor && (
        <div id={`${id}-editor`} className="filter-editor">
          {editor === 'from' && <PersonFilter onChoose={(from) => chosen({ from })} />}
          {editor === 'in' && (
            <ConversationFilter open={open} onChoose={(conversationId) => chosen({ conversationId })} />
          )}
          {editor === 'days' && <DayFilter filters={filters} onChange={change} />}
        </div>
      )}
    </fieldset>
  );
}

interface ValueChipProps {
  name: Editor;
  /** What is chosen, or null. */
  label: string | null;
  text: string;
  editorId: string;
  isOpen: boolean;
  onOpen: () => void;
  onClear: () => void;
}

function ValueChip({ name, label, text, editorId, isOpen, onOpen, onClear }: ValueChipProps) {
  const t = useT();
  const clear = t('search.clearFilter', { filter: label ?? text });
  return (
    <span className="filter-value">
      <button
        type="button"
        className={label === null ? 'filter-chip' : 'filter-chip chosen-filter'}
        data-editor={name}
        aria-expanded={isOpen}
        aria-controls={isOpen ? editorId : undefined}
        onClick={onOpen}
      >
        <span className="filter-label">{label ?? text}</span>
        {label === null && <Icon name="down" />}
      </button>
      {label !== null && (
        <button type="button" className="filter-clear" onClick={onClear} title={clear}>
          <Icon name="close" />
          <span className="sr-only">{clear}</span>
        </button>
      )}
    </span>
  );
}

/** What is chosen, in words. */
function useLabels({ from, conversationId, since, until }: ChosenFilters) {
  const { language, t } = useLanguage();
  const name = useUserName(from ?? null);
  const row = useConversation(conversationId ?? '');
  const { title } = useTitle(row);
  const day = (iso: string) => formatFilterDay(language, iso);
  const days = () => {
    if (since && until) return t('search.between', { since: day(since), until: day(until) });
    if (since) return t('search.since', { day: day(since) });
    return until ? t('search.until', { day: day(until) }) : null;
  };
  return {
    from: from === undefined ? null : t('search.fromName', { name }),
    in: conversationId === undefined ? null : t('search.inTitle', { title }),
    days: days(),
  };
}
