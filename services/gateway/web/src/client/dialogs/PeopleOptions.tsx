/**
 * The list of people who were found, above the dialog, so that the dialog does not change its size. The focus
 * stays in the text field.
 */

import { type User, type UserId, useSession } from '@messenger/react';
import { type RefObject, useEffect, useRef } from 'react';
import { useT } from '../i18n/language.tsx';
import { UserAvatar } from '../parts/UserAvatar.tsx';
import { useUserName } from '../parts/UserName.tsx';
import { useFloating } from '../parts/useFloating.ts';

export interface PeopleOptionsProps {
  /** The options' ids begin with it. */
  id: string;
  label: string;
  anchor: RefObject<HTMLElement | null>;
  users: readonly User[];
  /** The index of the option that Enter chooses, or -1. */
  active: number;
  onChoose: (id: UserId) => void;
}

export function PeopleOptions({ id, label, anchor, users, active, onChoose }: PeopleOptionsProps) {
  const list = useRef<HTMLDivElement>(null);
  useFloating(list, anchor);
  useEffect(() => {
    list.current?.children[active]?.scrollIntoView({ block: 'nearest' });
  }, [active]);
  return (
    <div
      ref={list}
      id={`${id}-options`}
      className="options"
      role="listbox"
      aria-label={label}
      popover="manual"
      // The text field keeps the focus, and an open composition.
      onMouseDown={(event) => event.preventDefault()}
    >
      {users.map((user, at) => (
        <Option
          key={user.id}
          id={`${id}-${user.id}`}
          user={user}
          isActive={at === active}
          hasNamesake={users.some((other) => other.id !== user.id && other.name === user.name)}
          onChoose={() => onChoose(user.id)}
        />
      ))}
    </div>
  );
}

interface OptionProps {
  id: string;
  user: User;
  isActive: boolean;
  hasNamesake: boolean;
  onChoose: () => void;
}

function Option({ id, user, isActive, hasNamesake, onChoose }: OptionProps) {
  const t = useT();
  const isMe = useSession()?.me === user.id;
  const name = useUserName(user.id);
  return (
    // The keys are handled in the text field, which has the focus.
    // biome-ignore lint/a11y/useKeyWithClickEvents: see above.
    <div id={id} className="option" role="option" tabIndex={-1} aria-selected={isActive} onClick={onChoose}>
      <UserAvatar id={user.id} />
      <span className="person-name">
        <bdi>{name}</bdi>
        {isMe && <span className="quiet">{` (${t('you')})`}</span>}
      </span>
      {hasNamesake && <span className="quiet">{t('user', { id: String(user.id) })}</span>}
    </div>
  );
}
