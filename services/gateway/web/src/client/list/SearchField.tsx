/**
 * The search field above the conversations. Its results are below it, and the focus stays in the field: the arrow keys
 * move through them, Enter opens one, Escape clears the field and then leaves it.
 */

import { type KeyboardEvent, type RefObject, useEffect, useRef } from 'react';
import { flushSync } from 'react-dom';
import { useT } from '../i18n/language.tsx';
import { Icon } from '../parts/Icon.tsx';
import { IS_MAC, isShortcut } from '../parts/shortcuts.ts';
import { useTextField } from '../parts/useTextField.ts';

/** What the field does with the results. */
export interface ResultsControl {
  /** Moves to another result. Returns whether there is one. */
  move: (step: 1 | -1) => boolean;
  /** Opens the current result, if there is one. */
  pick: () => void;
}

export interface SearchFieldProps {
  text: string;
  onText: (text: string) => void;
  onFocus: () => void;
  /** Called for Escape, and for the button that clears the search. */
  onClear: () => void;
  /** Called before the field takes the focus, if it is not on the screen. */
  onReveal: () => void;
  /** The id of the list of results, or null if there are none. */
  listId: string | null;
  /** The id of the current result. */
  activeId: string | null;
  control: RefObject<ResultsControl | null>;
}

const DIALOGS = '[role=dialog], [role=menu], dialog[open]';

export function SearchField(props: SearchFieldProps) {
  const { text, onText, onClear, onReveal, listId, activeId, control } = props;
  const t = useT();
  const field = useRef<HTMLInputElement>(null);
  useShortcut(field, onReveal);
  const onKey = (event: KeyboardEvent<HTMLInputElement>) => {
    const step = ({ ArrowDown: 1, ArrowUp: -1 } as const)[event.key];
    if (step !== undefined && control.current?.move(step)) event.preventDefault();
    else if (step === 1 && listId === null) focusList(event);
    if (event.key !== 'Escape') return;
    if (text === '') field.current?.blur();
    onClear();
  };
  const { props: fieldProps, commitComposition } = useTextField({
    field,
    value: text,
    onChange: onText,
    onEnter: () => {
      commitComposition();
      control.current?.pick();
    },
    onKey,
  });
  const clear = () => {
    onClear();
    field.current?.focus();
  };
  return (
    <search className="search" aria-label={t('conversations.filter')}>
      <Icon name="search" />
      <input
        {...fieldProps}
        ref={field}
        className="field"
        dir="auto"
        role="combobox"
        aria-label={t('conversations.filter')}
        aria-autocomplete="list"
        aria-expanded={listId !== null}
        aria-controls={listId ?? undefined}
        aria-activedescendant={activeId ?? undefined}
        aria-keyshortcuts={IS_MAC ? 'Meta+K' : 'Control+K'}
        title={t('search.shortcut', { keys: SHORTCUT })}
        placeholder={t('conversations.filter')}
        autoComplete="off"
        spellCheck={false}
        enterKeyHint="search"
        onFocus={props.onFocus}
      />
      {text === '' ? (
        <span className="search-keys" aria-hidden="true">
          {SHORTCUT}
        </span>
      ) : (
        <button type="button" className="search-clear" onClick={clear} title={t('search.clear')}>
          <Icon name="close" />
          <span className="sr-only">{t('search.clear')}</span>
        </button>
      )}
    </search>
  );
}

const SHORTCUT = IS_MAC ? '⌘K' : 'Ctrl K';

/** Ctrl or ⌘ and K lead to the field, except from a dialog, which the user has to end first. */
function useShortcut(field: RefObject<HTMLInputElement | null>, onReveal: () => void): void {
  const reveal = useRef(onReveal);
  useEffect(() => {
    reveal.current = onReveal;
  });
  useEffect(() => {
    const handleKey = (event: globalThis.KeyboardEvent) => {
      if (!isShortcut(event, 'k') || document.querySelector(DIALOGS)) return;
      event.preventDefault();
      // It has to be drawn to take the focus, and the next key is already meant for it.
      if (field.current?.offsetParent === null) flushSync(reveal.current);
      field.current?.focus();
      field.current?.select();
    };
    window.addEventListener('keydown', handleKey);
    return () => window.removeEventListener('keydown', handleKey);
  }, [field]);
}

function focusList(event: KeyboardEvent): void {
  const row = document.querySelector<HTMLElement>('.list [tabindex="0"]');
  if (!row) return;
  event.preventDefault();
  row.focus();
}
