/** Finds the parts of a text that are drawn as one, whatever marks are in them: addresses. */

import { findLinks } from './links.ts';

export interface Atom {
  start: number;
  end: number;
  url: string;
}

const NONE: readonly Atom[] = [];

export function atomsOf(text: string): readonly Atom[] {
  return text.includes('://') ? findLinks(text) : NONE;
}
