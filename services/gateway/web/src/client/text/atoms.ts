/**
 * Finds the parts of a text that are drawn as one, whatever marks are in them: addresses, and the mentions that the
 * message lists.
 */

import type { Entity, Mentions } from '@messenger/react';
import { findLinks } from './links.ts';
import { findAllWords, type Mentioned } from './mentionedAll.ts';

export interface Atom {
  start: number;
  end: number;
  of: { url: string } | { user: Mentioned };
}

export interface AtomFields {
  entities?: readonly Entity[] | undefined;
  mentions?: Mentions | undefined;
}

const NONE: readonly Atom[] = [];

/** Returns them in their order. None overlaps another. */
export function atomsOf(text: string, { entities, mentions }: AtomFields = {}): readonly Atom[] {
  const found: Atom[] = [];
  for (const { user_id: user, offset, length } of entities ?? [])
    found.push({ start: offset, end: offset + length, of: { user } });
  for (const { start, label } of mentions?.all ? findAllWords(text) : [])
    found.push({ start, end: start + label.length, of: { user: 'all' } });
  if (text.includes('://'))
    for (const { start, end, url } of findLinks(text)) found.push({ start, end, of: { url } });
  return found.length === 0 ? NONE : withoutOverlaps(found, text.length);
}

/** An earlier kind of atom wins over a later one. */
function withoutOverlaps(atoms: Atom[], length: number): Atom[] {
  const kept: Atom[] = [];
  for (const atom of atoms) {
    const isFree = kept.every((other) => atom.end <= other.start || atom.start >= other.end);
    if (isFree && atom.start >= 0 && atom.start < atom.end && atom.end <= length) kept.push(atom);
  }
  return kept.sort((a, b) => a.start - b.start);
}
