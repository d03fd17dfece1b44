/**
 * The list of people who were found, above the dialog, so that the dialog does not change its size. The focus
 * stays in the text field.
 */

import { type User, type UserId, useSession } from '@messenger/react';
import { type RefObject, useEffect, useLayoutEffect, useRef } from 'react';
import { useT } from '../i18n/language.tsx';
import { UserAvatar } from '../parts/UserAvatar.tsx';
import { useUserName } from '../parts/UserName.tsx';

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

const GAP_PX = 4;
const EDGE_PX = 8;
const MAX_HEIGHT_PX = 280;
const MIN_HEIGHT_PX = 120;

/** Shows the list in the top layer, below its anchor, or above it if there is more room. */
function useFloating(list: RefObject<HTMLElement | null>, anchor: RefObject<HTMLElement | null>): void {
  useLayoutEffect(() => {
    const place = () => list.current && anchor.current && placeAt(list.current, anchor.current);
    // Browsers without popovers show it in its place in the dialog.
    list.current?.showPopover?.();
    place();
    const resized = new ResizeObserver(place);
    if (anchor.current) resized.observe(anchor.current);
    const views = [window, window.visualViewport].filter((view) => view !== null);
    for (const view of views) view.addEventListener('resize', place);
    document.addEventListener('scroll', place, { capture: true, passive: true });
    return () => {
      resized.disconnect();
      for (const view of views) view.removeEventListener('resize', place);
      document.removeEventListener('scroll', place, { capture: true });
    };
  }, [list, anchor]);
}

function placeAt(list: HTMLElement, anchor: HTMLElement): void {
  const { left, top, bottom, width } = anchor.getBoundingClientRect();
  const view = window.visualViewport;
  const end = (view ? view.offsetTop + view.height : innerHeight) - EDGE_PX;
  const below = end - bottom - GAP_PX;
  const above = top - (view?.offsetTop ?? 0) - GAP_PX - EDGE_PX;
  const isBelow = below >= Math.min(list.scrollHeight, MAX_HEIGHT_PX) || below >= above;
  const height = Math.max(MIN_HEIGHT_PX, Math.min(MAX_HEIGHT_PX, isBelow ? below : above));
  Object.assign(list.style, {
    left: `${left}px`,
    width: `${width}px`,
    maxHeight: `${height}px`,
    top: isBelow ? `${bottom + GAP_PX}px` : 'auto',
    bottom: isBelow ? 'auto' : `${innerHeight - top + GAP_PX}px`,
  });
}
