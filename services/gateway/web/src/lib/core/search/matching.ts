/**
 * Finds the words of a query in a text, by the gateway's rule: all of them have to be there, anywhere, and an initial
 * consonant stands for any syllable that begins with it.
 */

import { fold } from '../base/fold.ts';
import { initialOf, isInitial, keysOf, splitPairs } from '../base/hangul.ts';
import type { Message } from '../contract/wire.ts';

/** A place in a text, in UTF-16 units. */
export type Highlight = readonly [offset: number, length: number];

/** A character of the folded text, and the place in the text that it comes from. */
interface Unit {
  character: string;
  start: number;
  end: number;
}

/** What folds on its own: a character with its marks, or a syllable that is written as its letters. */
const CLUSTER =
  /[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?[\p{M}]*|\P{M}[\p{M}\uff9e\uff9f]*|[\p{M}\uff9e\uff9f]+/gu;

/** Returns the places of the words in their order, without overlaps. Null if a word is missing. */
export function findWords(text: string, query: string): Highlight[] | null {
  const units = unitsOf(text);
  const found: Highlight[] = [];
  for (const word of wordsOf(query)) {
    const places = placesOf(units, word);
    if (places.length === 0) return null;
    found.push(...places);
  }
  return merged(found);
}

/** The places of those words that are there. */
export function findSomeWords(text: string, query: string): Highlight[] {
  const units = unitsOf(text);
  return merged(wordsOf(query).flatMap((word) => placesOf(units, word)));
}

/** Whether a message has all words, in its text or in the names of its files. */
export function hasWords(message: Message, query: string): boolean {
  const texts = textsOf(message).map(unitsOf);
  return wordsOf(query).every((word) => texts.some((units) => placesOf(units, word).length > 0));
}

/** Whether a message has what an unfinished query may become: its keys follow each other in one of the texts. */
export function mayBecome(message: Message, query: string): boolean {
  const words = query.split(/\s+/).map((word) => keysOf(word).join(''));
  return textsOf(message).some((text) => words.every((keys) => hasKeys(keysOf(text), keys)));
}

/** What a search looks at: the text, and the names of files. */
function textsOf({ content, file_name: name, attachments = [] }: Message): string[] {
  return [content, name, ...attachments.map((file) => file.name)].filter((text) => text != null);
}

const wordsOf = (query: string): string[][] =>
  fold(splitPairs(query))
    .split(/\s+/)
    .filter(Boolean)
    .map((word) => [...word]);

function unitsOf(text: string): Unit[] {
  return [...text.matchAll(CLUSTER)].flatMap(({ 0: cluster, index: start }) =>
    [...fold(cluster)].map((character) => ({ character, start, end: start + cluster.length })),
  );
}

function placesOf(units: readonly Unit[], word: readonly string[]): Highlight[] {
  const found: Highlight[] = [];
  for (let at = 0; at + word.length <= units.length; at += 1) {
    const [first, last] = [units[at], units[at + word.length - 1]];
    if (first && last && word.every((wanted, by) => isLike(units[at + by], wanted)))
      found.push([first.start, last.end - first.start]);
  }
  return found;
}

function isLike(unit: Unit | undefined, wanted: string): boolean {
  if (!unit) return false;
  return unit.character === wanted || (isInitial(wanted) && initialOf(unit.character) === wanted);
}

function merged(places: Highlight[]): Highlight[] {
  const found: [number, number][] = [];
  for (const [offset, length] of places.sort((a, b) => a[0] - b[0])) {
    const last = found.at(-1);
    if (last && offset < last[0] + last[1]) last[1] = Math.max(last[1], offset + length - last[0]);
    else found.push([offset, length]);
  }
  return found;
}

/** Whether the keys begin with one of the characters. */
function hasKeys(characters: readonly string[], keys: string): boolean {
  const starts = new Set<number>();
  let length = 0;
  for (const each of characters) {
    starts.add(length);
    length += each.length;
  }
  const all = characters.join('');
  for (let at = all.indexOf(keys); at >= 0; at = all.indexOf(keys, at + 1)) if (starts.has(at)) return true;
  return false;
}
