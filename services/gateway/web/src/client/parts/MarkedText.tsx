/** Draws a text with the places in it that a search has found. */

import { createContext, useContext } from 'react';
import { markedParts, NO_PLACES, type Places } from '../text/markedParts.ts';

/** The places in the whole text that the parts below belong to. */
export const MarkedPlaces = createContext<Places>(NO_PLACES);

export interface MarkedTextProps {
  text: string;
  start?: number;
  end?: number;
}

/** Each part of the text is the only child of its element. */
export function MarkedText({ text, start = 0, end = text.length }: MarkedTextProps) {
  const places = useContext(MarkedPlaces);
  return markedParts(places, start, end).map((part) => {
    const inside = text.slice(part.start, part.end);
    return part.isMarked ? <mark key={part.start}>{inside}</mark> : <span key={part.start}>{inside}</span>;
  });
}
