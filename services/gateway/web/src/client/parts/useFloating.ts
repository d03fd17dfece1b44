/** Places a list of options beside its text field, above everything else on the page. */

import { type RefObject, useLayoutEffect } from 'react';

const GAP_PX = 4;
const EDGE_PX = 8;
const MAX_HEIGHT_PX = 280;
const MIN_HEIGHT_PX = 120;

/** Shows the list in the top layer, below its anchor, or above it if there is more room. */
export function useFloating(
  list: RefObject<HTMLElement | null>,
  anchor: RefObject<HTMLElement | null>,
): void {
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
