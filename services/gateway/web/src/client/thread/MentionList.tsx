/**
 * The list of members whom the user can mention, beside the composer. The focus stays in the text box, whose keys move
 * in the list. It is loaded with the first `@`.
 */

import {
  type ConversationRow,
  type UserId,
  useNames,
  useParticipants,
  useSession,
  useUserSearch,
} from '@messenger/react';
import { type ReactNode, type RefObject, useEffect, useImperativeHandle, useRef, useState } from 'react';
import { type Translate, useT } from '../i18n/language.tsx';
import { Icon } from '../parts/Icon.tsx';
import { UserAvatar } from '../parts/UserAvatar.tsx';
import { displayName, NameSkeleton, useNamedUser } from '../parts/UserName.tsx';
import { useFloating } from '../parts/useFloating.ts';
import { stripBidiControls } from '../text/bidi.ts';
import type { Mentioned } from '../text/mentionedAll.ts';
import { rankOf } from '../text/nameSearch.ts';

export interface MentionOption {
  user: Mentioned;
  name: string;
}

export interface MentionListControl {
  /** Moves to another option. Returns whether there is one. */
  move: (step: 1 | -1) => boolean;
  /** Picks the current option. Returns whether there is one. */
  pick: () => boolean;
}

export interface MentionListProps {
  id: string;
  row: ConversationRow;
  /** What is typed of the name. */
  query: string;
  anchor: RefObject<HTMLElement | null>;
  /** Users who have written lately come first. */
  recent: readonly UserId[];
  control: RefObject<MentionListControl | null>;
  onPick: (option: MentionOption) => void;
  /** Tells the id of the current option: null if there is none, undefined if the list is empty. */
  onActive: (optionId: string | null | undefined) => void;
}

const MAX_SHOWN = 50;
/** The gateway refuses to mention more members at once. */
const MAX_ALL = 1_000;
/** In larger conversations the gateway finds the names, except those of recent senders. */
const MAX_NAMES = 500;
const ALL_NAMES = ['all', 'everyone', '모두', '전체'];

export function MentionList({ id, row, query, anchor, recent, control, onPick, onActive }: MentionListProps) {
  const t = useT();
  const options = useOptions(row, query, recent);
  const list = useRef<HTMLDivElement>(null);
  const [chosen, setChosen] = useState<Mentioned | null>(null);
  const found = options.findIndex(({ user }) => user === chosen);
  // Behind a lone @ Enter is not for the list, unless the user has gone to an option.
  const active = found < 0 && query !== '' ? 0 : found;
  const current = options[active];
  const currentId = current ? `${id}-${current.user}` : null;
  useImperativeHandle(control, () => ({
    move: (step) => {
      const from = active < 0 && step < 0 ? 0 : active;
      setChosen(options[(from + step + options.length) % options.length]?.user ?? null);
      return options.length > 0;
    },
    pick: () => {
      if (current) onPick(current);
      return current !== undefined;
    },
  }));
  const isEmpty = options.length === 0;
  useEffect(() => onActive(isEmpty ? undefined : currentId), [onActive, isEmpty, currentId]);
  useEffect(() => () => onActive(undefined), [onActive]);
  useEffect(() => {
    list.current?.children[active]?.scrollIntoView({ block: 'nearest' });
  }, [active]);
  if (isEmpty) return null;
  return (
    <>
      <p className="sr-only" role="status">
        {t('mention.found', { count: options.length })}
      </p>
      <Floating id={id} label={t('mention.options')} anchor={anchor} list={list}>
        {options.map((option, at) => (
          <Option
            key={option.user}
            id={`${id}-${option.user}`}
            option={option}
            isActive={at === active}
            hasNamesake={options.some(({ user, name }) => user !== option.user && name === option.name)}
            onPick={() => onPick(option)}
          />
        ))}
      </Floating>
    </>
  );
}

interface FloatingProps {
  id: string;
  label: string;
  anchor: RefObject<HTMLElement | null>;
  list: RefObject<HTMLDivElement | null>;
  children: ReactNode;
}

function Floating({ id, label, anchor, list, children }: FloatingProps) {
  useFloating(list, anchor);
  return (
    <div
      ref={list}
      id={id}
      className="options"
      role="listbox"
      aria-label={label}
      popover="manual"
      // The text box keeps the focus, and an open composition.
      onMouseDown={(event) => event.preventDefault()}
    >
      {children}
    </div>
  );
}

interface OptionProps {
  id: string;
  option: MentionOption;
  isActive: boolean;
  hasNamesake: boolean;
  onPick: () => void;
}

function Option({ id, option: { user, name }, isActive, hasNamesake, onPick }: OptionProps) {
  const t = useT();
  const { isLoading } = useNamedUser(user === 'all' ? null : user);
  return (
    // The keys are handled in the text box, which has the focus.
    // biome-ignore lint/a11y/useKeyWithClickEvents: see above.
    <div id={id} className="option" role="option" tabIndex={-1} aria-selected={isActive} onClick={onPick}>
      {user === 'all' ? <Icon name="megaphone" /> : <UserAvatar id={user} />}
      <span className="person-name">{isLoading ? <NameSkeleton /> : <bdi>{name}</bdi>}</span>
      {user === 'all' && <span className="quiet">{t('mention.all.about')}</span>}
      {user !== 'all' && hasNamesake && <span className="quiet">{t('user', { id: String(user) })}</span>}
    </div>
  );
}

function useOptions(row: ConversationRow, query: string, recent: readonly UserId[]): MentionOption[] {
  const t = useT();
  const me = useSession()?.me;
  const { participants, role } = useParticipants(row.id);
  const others = participants.map((each) => each.user_id).filter((id) => id !== me);
  const isLarge = others.length > MAX_NAMES;
  const found = useUserSearch(isLarge ? query : '').users.map((user) => user.id);
  const ids = isLarge ? others.filter((id) => found.includes(id) || recent.includes(id)) : others;
  const names = useNames(ids);
  const people = ids.map((user, at) => ({ user, name: shortName(t, user, names[at] ?? null) }));
  const mayMentionAll = row.type !== 'direct' && role === 'admin' && participants.length <= MAX_ALL;
  const isAll = mayMentionAll && ALL_NAMES.some((name) => rankOf(name, query) === 0);
  const all: MentionOption[] = isAll ? [{ user: 'all', name: t('mention.all') }] : [];
  return [...sorted(people, query, recent), ...all].slice(0, MAX_SHOWN);
}

/** A mention is one line. */
const shortName = (t: Translate, user: UserId, name: string | null) =>
  stripBidiControls(displayName(t, user, name))
    .replace(/\s+/g, ' ')
    .trim();

function sorted(people: MentionOption[], query: string, recent: readonly UserId[]): MentionOption[] {
  const place = new Map<Mentioned, number>(recent.map((id, at) => [id, at]));
  const placeOf = (user: Mentioned) => place.get(user) ?? recent.length;
  return people
    .map((option) => ({ option, rank: rankOf(option.name, query) }))
    .filter(({ rank }) => rank < Number.POSITIVE_INFINITY)
    .sort(
      (a, b) =>
        a.rank - b.rank ||
        placeOf(a.option.user) - placeOf(b.option.user) ||
        a.option.name.localeCompare(b.option.name),
    )
    .map(({ option }) => option);
}
