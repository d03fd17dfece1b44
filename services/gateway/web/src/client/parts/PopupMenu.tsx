/**
 * A menu at an anchor. The arrow keys move in it. It may have a group of items in a row above the others. Escape and a press elsewhere close it. Base UI has a menu
 * too, but its focus guards can take the focus while they are hidden from screen readers, which axe reports.
 */

import { type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useRef } from 'react';
import { Icon, type IconName } from './Icon.tsx';

export interface MenuItem {
  key: string;
  icon: IconName;
  label: string;
  isDestructive?: boolean;
  onSelect: () => void;
}

export interface PopupMenuProps {
  label: string;
  anchor: Element;
  /** The side of the anchor with which the menu is aligned. */
  align: 'start' | 'end';
  /** A group of menu items in a row. */
  head?: ReactNode;
  items: MenuItem[];
  /** `isLeft` is true if the user has already moved elsewhere. Then the focus must not be moved back. */
  onClose: (isLeft: boolean) => void;
}

const ITEMS = '[role^=menuitem]';
const GAP_PX = 4;
const EDGE_PX = 8;

export function PopupMenu({ label, anchor, align, head, items, onClose }: PopupMenuProps) {
  const menu = useRef<HTMLDivElement>(null);

  useLayoutEffect(() => {
    const element = menu.current;
    if (!element) return;
    const { top, left } = positionAt(anchor.getBoundingClientRect(), element.getBoundingClientRect(), align);
    element.style.top = `${top}px`;
    element.style.left = `${left}px`;
    element.querySelector<HTMLElement>(':scope > [role=menuitem]')?.focus();
  }, [anchor, align]);

  useEffect(() => {
    const closeIfOutside = (event: Event) => {
      if (!(event.target instanceof Node && menu.current?.contains(event.target))) onClose(true);
    };
    const closeOnResize = () => onClose(true);
    const events = ['pointerdown', 'wheel', 'focusin'];
    for (const event of events)
      document.addEventListener(event, closeIfOutside, { capture: true, passive: true });
    window.addEventListener('resize', closeOnResize);
    return () => {
      for (const event of events) document.removeEventListener(event, closeIfOutside, { capture: true });
      window.removeEventListener('resize', closeOnResize);
    };
  }, [onClose]);

  const handleKey = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === 'Escape' || event.key === 'Tab') {
      event.preventDefault();
      return onClose(false);
    }
    const to = nextItem(event.key, [...(menu.current?.querySelectorAll<HTMLElement>(ITEMS) ?? [])]);
    if (!to) return;
    event.preventDefault();
    to.focus();
  };

  return (
    <div ref={menu} className="menu" role="menu" aria-label={label} tabIndex={-1} onKeyDown={handleKey}>
      {head}
      {items.map(({ key, icon, label: text, isDestructive, onSelect }) => (
        <button
          key={key}
          type="button"
          role="menuitem"
          tabIndex={-1}
          className={isDestructive ? 'menu-item bad' : 'menu-item'}
          onClick={onSelect}
        >
          <Icon name={icon} />
          <span>{text}</span>
        </button>
      ))}
    </div>
  );
}

/** Places the menu below its anchor, or above it if there is no room. It never leaves the window. */
function positionAt(anchor: DOMRect, menu: DOMRect, align: 'start' | 'end'): { top: number; left: number } {
  const below = anchor.bottom + GAP_PX;
  const fits = below + menu.height <= innerHeight - EDGE_PX;
  const top = fits ? below : anchor.top - GAP_PX - menu.height;
  const left = align === 'start' ? anchor.left : anchor.right - menu.width;
  const clamp = (at: number, size: number, room: number) =>
    Math.max(EDGE_PX, Math.min(at, room - size - EDGE_PX));
  return { top: clamp(top, menu.height, innerHeight), left: clamp(left, menu.width, innerWidth) };
}

/** Up and down lead from item to item, of a group only to its first one. Left and right lead through a group. */
function nextItem(key: string, items: HTMLElement[]): HTMLElement | undefined {
  const focused = items.find((item) => item === document.activeElement);
  const groupOf = (item: HTMLElement | undefined) => item?.closest('[role=group]') ?? null;
  const group = groupOf(focused);
  const row = group ? items.filter((item) => groupOf(item) === group) : [];
  const column = items.filter((item) => !groupOf(item) || groupOf(item)?.querySelector(ITEMS) === item);
  const inRow = { ArrowLeft: -1, ArrowRight: 1 }[key];
  if (inRow !== undefined) return focused && step(row, focused, inRow);
  const inColumn = { ArrowUp: -1, ArrowDown: 1 }[key];
  if (inColumn !== undefined) return step(column, row[0] ?? focused, inColumn);
  return { Home: column[0], End: column.at(-1) }[key];
}

function step(items: HTMLElement[], from: HTMLElement | undefined, by: number): HTMLElement | undefined {
  const at = from ? items.indexOf(from) : -1;
  return items[(at + by + items.length) % items.length];
}
