/**
 * A field to choose people: by name, from the list below it, or by user id. It is a combobox with the focus in
 * the text field. The arrow keys move in the list, Enter chooses, Escape closes the list.
 */

import { type UserId, useUserSearch } from '@messenger/react';
import { type KeyboardEvent, useId, useRef, useState } from 'react';
import { useT } from '../i18n/language.tsx';
import { useTextField } from '../parts/useTextField.ts';
import { ChosenPeople } from './ChosenPeople.tsx';
import { PeopleOptions } from './PeopleOptions.tsx';
import { usePeopleHint } from './peopleHint.ts';
import type { PeopleChoice } from './usePeopleChoice.ts';
import { parseUserIds } from './userIds.ts';

export interface PeoplePickerProps {
  choice: PeopleChoice;
  label: string;
  /** What can be entered here. */
  about: string;
  /** Says what is wrong with what was entered. */
  error?: string | null;
  isRequired?: boolean;
  /** Users who cannot be chosen. */
  excluded?: readonly UserId[];
}

const MAX_NAME_CHARS = 100;

export function PeoplePicker(props: PeoplePickerProps) {
  const { choice, label, about, error = null, isRequired = false } = props;
  const t = useT();
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const list = useOptions(props);
  const { users, isOpen, active, setActive } = list;
  const hint = usePeopleHint(list, choice.text, about);

  const choose = (user: UserId) => {
    commitComposition();
    list.close();
    choice.choose(user);
    field.current?.focus();
  };
  const onEnter = () => {
    const user = users[active];
    if (isOpen && user) choose(user.id);
    else if (list.isSearching) return;
    else if (isOpen && users.length > 0) chooseOrOffer();
    else field.current?.form?.querySelector<HTMLElement>('[type=submit]')?.click();
  };
  /** Enter takes the only one who was found. From several, the user has to choose. */
  const chooseOrOffer = () => {
    const [first, ...others] = users;
    if (first && others.length === 0) choose(first.id);
    else setActive(0);
  };
  const onKey = (event: KeyboardEvent<HTMLInputElement>) => {
    const last = choice.chosen.at(-1);
    if (event.key === 'Backspace' && choice.text === '' && last !== undefined) choice.remove(last);
    else if (event.key === 'Escape' && isOpen) {
      // The dialog stays open.
      event.stopPropagation();
      list.close();
    } else if (list.move(event.key)) event.preventDefault();
  };
  const { props: fieldProps, commitComposition } = useTextField({
    field,
    value: choice.text,
    onChange: (text) => {
      list.open();
      choice.setText(text);
    },
    onEnter,
    onKey,
  });

  return (
    <div className="people-picker">
      <label className="label" htmlFor={id}>
        {label}
      </label>
      <ChosenPeople
        chosen={choice.chosen}
        onRemove={(user) => {
          choice.remove(user);
          field.current?.focus();
        }}
      />
      <input
        {...fieldProps}
        ref={field}
        id={id}
        className="field"
        dir="auto"
        role="combobox"
        aria-autocomplete="list"
        aria-expanded={isOpen}
        aria-controls={isOpen ? `${id}-options` : undefined}
        aria-activedescendant={isOpen && users[active] ? `${id}-${users[active].id}` : undefined}
        aria-invalid={error !== null}
        aria-describedby={`${id}-hint`}
        autoComplete="off"
        spellCheck={false}
        required={isRequired && choice.chosen.length === 0}
        // The line below the field belongs to it, also where the dialog scrolls.
        onFocus={(event) => event.target.parentElement?.scrollIntoView({ block: 'nearest' })}
        onBlur={list.close}
      />
      {isOpen && (
        <PeopleOptions
          id={id}
          label={t('people.options')}
          anchor={field}
          users={users}
          active={active}
          onChoose={choose}
        />
      )}
      <p
        id={`${id}-hint`}
        className={error === null ? 'quiet' : 'failed'}
        role={error === null ? 'status' : 'alert'}
      >
        {error ?? hint}
      </p>
    </div>
  );
}

/** Finds the users for the list, and tracks whether it is open and where in it the user is. */
function useOptions({ choice: { text, chosen }, excluded = [] }: PeoplePickerProps) {
  const [isWanted, setWanted] = useState(false);
  const [activeId, setActiveId] = useState<UserId | null>(null);
  const isName = parseUserIds(text) === null;
  const { status, users: found } = useUserSearch(isName ? text.slice(0, MAX_NAME_CHARS) : '');
  const users = found.filter(({ id }) => !chosen.includes(id) && !excluded.includes(id));
  const isOpen = isWanted && users.length > 0;
  // The place in the list follows its user when the list changes.
  const active = users.findIndex((user) => user.id === activeId);
  const setActive = (at: number) => setActiveId(users[at]?.id ?? null);
  const move = (key: string): boolean => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[key];
    if (step === undefined || users.length === 0) return false;
    setWanted(true);
    const from = isOpen && active >= 0 ? active : step > 0 ? -1 : 0;
    setActive((from + step + users.length) % users.length);
    return true;
  };
  return {
    users,
    status,
    isSearching: isName && status === 'searching',
    isOpen,
    active,
    setActive,
    move,
    open: () => {
      setWanted(true);
      setActiveId(null);
    },
    close: () => {
      setWanted(false);
      setActiveId(null);
    },
  };
}
