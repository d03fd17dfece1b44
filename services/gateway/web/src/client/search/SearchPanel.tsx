/**
 * What the search above the conversations has found: conversations, then messages. It is loaded with the first search.
 * The focus stays in the field, whose keys move through the results.
 */

import { type ConversationRow, type SearchHit, useSearch } from '@messenger/react';
import {
  type ReactNode,
  type RefObject,
  type UIEvent,
  useEffect,
  useId,
  useImperativeHandle,
  useMemo,
  useRef,
  useState,
} from 'react';
import { useT } from '../i18n/language.tsx';
import { ConversationContent } from '../list/ConversationItem.tsx';
import type { ResultsControl } from '../list/SearchField.tsx';
import { FilterBar } from './FilterBar.tsx';
import { type ChosenFilters, isFiltered, toSearchFilters } from './filters.ts';
import { HitContent } from './HitContent.tsx';
import { SearchStatus } from './SearchStatus.tsx';
import { useFoundConversations } from './useFoundConversations.ts';
import '../styles/search.css';

export interface SearchPanelProps {
  text: string;
  filters: ChosenFilters;
  /** The open conversation. */
  open: string | null;
  control: RefObject<ResultsControl | null>;
  onFilters: (filters: ChosenFilters) => void;
  /** Tells the ids of the list and of the current result: null if there are no results. */
  onActive: (active: { listId: string; id: string | null } | null) => void;
  onOpen: (id: string) => void;
  onOpenMessage: (id: string, messageId: string) => void;
  onClose: () => void;
}

/** What the user can go to. */
type Result = ConversationResult | { key: string; hit: SearchHit };
/** A conversation, or the way to more of them. */
type ConversationResult = { key: string; row: ConversationRow } | { key: string; more: number };

const FEW = 5;
const MANY = 100;
/** More messages are loaded when so much is left below. */
const NEAR_PX = 400;

export default function SearchPanel(props: SearchPanelProps) {
  const { text, filters, open, control, onFilters, onActive, onOpen, onOpenMessage, onClose } = props;
  const t = useT();
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const conversations = useConversationResults(text, filters);
  const search = useSearch(
    text,
    useMemo(() => toSearchFilters(filters), [filters]),
  );
  const messages = search.hits.map((hit) => ({ key: hit.message.id, hit }));
  const results: readonly Result[] = [...conversations.results, ...messages];
  const [chosen, setChosen] = useState<string | null>(null);
  const found = results.findIndex(({ key }) => key === chosen);
  const active = results[Math.max(0, found)];
  const activeId = active ? `${id}-${active.key}` : null;

  const pick = (result: Result) => {
    setChosen(result.key);
    if ('hit' in result) onOpenMessage(result.hit.conversation_id, result.hit.message.id);
    else if ('more' in result) conversations.showAll();
    else {
      onOpen(result.row.id);
      onClose();
    }
  };
  useImperativeHandle(control, () => ({
    move: (step) => {
      const to = results[Math.max(0, found) + step];
      if (step > 0 && !results[Math.max(0, found) + 2]) search.loadMore();
      if (to) setChosen(to.key);
      return results.length > 0;
    },
    pick: () => active && pick(active),
  }));
  const listId = `${id}-results`;
  useEffect(
    () => onActive(activeId === null ? null : { listId, id: activeId }),
    [onActive, activeId, listId],
  );
  useEffect(() => () => onActive(null), [onActive]);
  useEffect(() => {
    if (activeId !== null) document.getElementById(activeId)?.scrollIntoView({ block: 'nearest' });
  }, [activeId]);
  // A new query begins at its first result.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above.
  useEffect(() => {
    setChosen(null);
    box.current?.scrollTo({ top: 0 });
  }, [text, filters]);
  const handleScroll = ({ currentTarget: list }: UIEvent<HTMLElement>) => {
    const left = list.scrollHeight - list.scrollTop - list.clientHeight;
    if (left < NEAR_PX && !search.failure && !search.isPartial) search.loadMore();
  };

  const option = (result: Result, content: ReactNode) => (
    <Option
      key={result.key}
      id={`${id}-${result.key}`}
      isActive={result === active}
      isConversation={'row' in result}
      onPick={() => pick(result)}
    >
      {content}
    </Option>
  );
  return (
    <div className="search-panel">
      <FilterBar filters={filters} open={open} onFilters={onFilters} />
      <div
        className="search-results"
        ref={box}
        onScroll={handleScroll}
        aria-busy={search.status === 'searching'}
      >
        {results.length > 0 && (
          <div id={listId} role="listbox" aria-label={t('search.results')}>
            {conversations.results.length > 0 && (
              <Group id={`${id}-c`} title={t('conversations')}>
                {conversations.results.map((result) =>
                  option(
                    result,
                    'row' in result ? (
                      <ConversationContent row={result.row} isOpen={result.row.id === open} />
                    ) : (
                      <span>{t('search.allConversations', { count: result.more })}</span>
                    ),
                  ),
                )}
              </Group>
            )}
            {messages.length > 0 && (
              <Group id={`${id}-m`} title={t('messages')}>
                {messages.map((result) =>
                  option(result, <HitContent hit={result.hit} query={search.query} />),
                )}
              </Group>
            )}
          </div>
        )}
        <SearchStatus search={search} text={text} conversationCount={conversations.count} />
      </div>
    </div>
  );
}

/** The conversations with this name, a few of them first. Filters concern only messages. */
function useConversationResults(text: string, filters: ChosenFilters) {
  const found = useFoundConversations(isFiltered(filters) ? '' : text);
  const [allFor, setAllFor] = useState<string | null>(null);
  const shown = found.slice(0, allFor === text ? MANY : FEW);
  const results: ConversationResult[] = shown.map((row) => ({ key: row.id, row }));
  const isCut = allFor !== text && found.length > FEW;
  if (isCut) results.push({ key: 'more', more: found.length });
  return { results, count: found.length, showAll: () => setAllFor(text) };
}

function Group({ id, title, children }: { id: string; title: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset has no place in a list of options.
    <div role="group" aria-labelledby={id}>
      <div id={id} className="search-heading">
        {title}
      </div>
      {children}
    </div>
  );
}

interface OptionProps {
  id: string;
  isActive: boolean;
  isConversation: boolean;
  onPick: () => void;
  children: ReactNode;
}

function Option({ id, isActive, isConversation, onPick, children }: OptionProps) {
  return (
    // The keys are handled in the field, which has the focus.
    // biome-ignore lint/a11y/useKeyWithClickEvents: see above.
    <div
      id={id}
      className={isConversation ? 'item search-option' : 'search-option'}
      role="option"
      tabIndex={-1}
      aria-selected={isActive}
      // The field keeps the focus, and an open composition.
      onMouseDown={(event) => event.preventDefault()}
      onClick={onPick}
    >
      {children}
    </div>
  );
}
