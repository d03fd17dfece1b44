/** Draws text with the places in it that a search has found. */

import { createContext, type ReactNode } from 'react';
import { markedParts, NO_PLACES, type Places } from '../text/markedParts.ts';

/** The places in the whole text that the parts below belong to. */
export const MarkedPlaces = createContext<Places>(NO_PLACES);

/** Draws a part of a text. Each piece of it is the only child of its element. */
export function drawMarked(text: string, places: Places, start = 0, end = text.length): ReactNode[] {
  return markedParts(places, start, end).map((part) => {
    const inside = text.slice(part.start, part.end);
    return part.isMarked ? <mark key={part.start}>{inside}</mark> : <span key={part.start}>{inside}</span>;
  });
}
