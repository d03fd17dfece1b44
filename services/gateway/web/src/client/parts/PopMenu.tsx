/**
 * Owns a menu that comes up at a place: arrows move in it, Escape and a press elsewhere close it. The component
 * base has one too, whose guards for the focus are hidden from nobody but screen readers, which axe objects to.
 */

import { type KeyboardEvent, useEffect, useLayoutEffect, useRef } from 'react';
import { Icon, type IconName } from './Icon.tsx';

export interface MenuChoice {
  key: string;
  icon: IconName;
  label: string;
  isBad?: boolean;
  choose: () => void;
}

export interface PopMenuProps {
  label: string;
  anchor: Element;
  /** Which side of the anchor it keeps to. */
  align: 'start' | 'end';
  choices: MenuChoice[];
  /** `isLeft`: the user has gone elsewhere already, and is not to be brought back. */
  onClose: (isLeft: boolean) => void;
}

const GAP_PX = 4;
const EDGE_PX = 8;

export function PopMenu({ label, anchor, align, choices, onClose }: PopMenuProps) {
  const menu = useRef<HTMLDivElement>(null);

  useLayoutEffect(() => {
    const element = menu.current;
    if (!element) return;
    const { top, left } = placeAt(anchor.getBoundingClientRect(), element.getBoundingClientRect(), align);
    element.style.top = `${top}px`;
    element.style.left = `${left}px`;
    element.querySelector<HTMLElement>('[role=menuitem]')?.focus();
  }, [anchor, align]);

  useEffect(() => {
    const elsewhere = (event: Event) => {
      if (!(event.target instanceof Node && menu.current?.contains(event.target))) onClose(true);
    };
    const resized = () => onClose(true);
    const events = ['pointerdown', 'wheel', 'focusin'];
    for (const event of events) document.addEventListener(event, elsewhere, { capture: true, passive: true });
    window.addEventListener('resize', resized);
    return () => {
      for (const event of events) document.removeEventListener(event, elsewhere, { capture: true });
      window.removeEventListener('resize', resized);
    };
  }, [onClose]);

  const keys = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === 'Escape' || event.key === 'Tab') {
      event.preventDefault();
      return onClose(false);
    }
    const items = [...(menu.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];
    const to = target(event.key, items.indexOf(document.activeElement as HTMLElement), items.length);
    if (to === null) return;
    event.preventDefault();
    items[to]?.focus();
  };

  return (
    <div ref={menu} className="menu" role="menu" aria-label={label} tabIndex={-1} onKeyDown={keys}>
      {choices.map(({ key, icon, label: text, isBad, choose }) => (
        <button
          key={key}
          type="button"
          role="menuitem"
          tabIndex={-1}
          className={isBad ? 'menu-item bad' : 'menu-item'}
          onClick={choose}
        >
          <Icon name={icon} />
          {text}
        </button>
      ))}
    </div>
  );
}

/** Below its anchor, above it where there is no room, and never outside of the window. */
function placeAt(anchor: DOMRect, menu: DOMRect, align: 'start' | 'end'): { top: number; left: number } {
  const below = anchor.bottom + GAP_PX;
  const fits = below + menu.height <= innerHeight - EDGE_PX;
  const top = fits ? below : anchor.top - GAP_PX - menu.height;
  const left = align === 'start' ? anchor.left : anchor.right - menu.width;
  const within = (at: number, size: number, room: number) =>
    Math.max(EDGE_PX, Math.min(at, room - size - EDGE_PX));
  return { top: within(top, menu.height, innerHeight), left: within(left, menu.width, innerWidth) };
}

function target(key: string, at: number, count: number): number | null {
  if (key === 'Home') return 0;
  if (key === 'End') return count - 1;
  if (key === 'ArrowDown') return (at + 1) % count;
  return key === 'ArrowUp' ? (at - 1 + count) % count : null;
}
