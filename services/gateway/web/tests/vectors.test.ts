import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
// @ts-expect-error The demo is plain JavaScript without types.
import * as demo from '../../src/gateway/demo/text.js';
import { fold, isBlank } from '../src/lib/index.ts';

interface Case {
  text: string;
  what: string;
}

function vectors<Kind extends Case>(name: string): Kind[] {
  const file = new URL(`../../../../shared/vectors/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as Kind[];
}

describe('blank', () => {
  test.each(vectors<Case & { blank: boolean }>('blank'))('$what: $blank', ({ text, blank }) => {
    expect(isBlank(text)).toBe(blank);
  });

  test('is what is not there', () => {
    expect(isBlank(null)).toBe(true);
    expect(isBlank(undefined)).toBe(true);
  });
});

describe.each([
  ['the library', fold],
  ['the demo', demo.fold as typeof fold],
])('folding by %s', (_, folding) => {
  test.each(vectors<Case & { folded: string }>('fold'))('$what', ({ text, folded }) => {
    expect(folding(text)).toBe(folded);
    expect(folding(folding(text))).toBe(folded);
    expect(folding(text.normalize('NFD'))).toBe(folded);
  });
});
