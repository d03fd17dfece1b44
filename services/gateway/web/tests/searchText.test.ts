/** The texts of a search: where words stand, what an unfinished syllable may become, and how texts are cut. */

import { describe, expect, test } from 'vitest';
import { markedParts } from '../src/client/text/markedParts.ts';
import { snippetOf } from '../src/client/text/snippet.ts';
import { withOpenSyllable } from '../src/lib/core/base/hangul.ts';
import type { Message } from '../src/lib/core/contract/wire.ts';
import { findWords, hasWords, mayBecome } from '../src/lib/core/search/matching.ts';

describe('words', () => {
  test.each([
    ['회의는 내일', '회의', ['회의']],
    ['회의는 내일', 'ㅎㅇ', ['회의']],
    ['회의는 내일', 'ㅎ의 ㄴㅇ', ['회의', '내일']],
    ['감사합니다', 'ㄳ', ['감사']],
    ['\u1112\u116c\u110b\u1174 시간', '회의', ['\u1112\u116c\u110b\u1174']],
    ['회의 시간', '\u1112\u116c\u110b\u1174', ['회의']],
    ['Straße und STRASSE', 'strasse', ['Straße', 'STRASSE']],
    ['İstanbul', 'ISTANBUL', ['İstanbul']],
    ['ＡＢＣ１', 'bc', ['ＢＣ']],
    ['ｶﾞｽ', 'ガ', ['ｶﾞ']],
    ['👍🏽 좋아요', '좋아', ['좋아']],
    ['x👍🏽y', '👍🏽', ['👍🏽']],
    ['cafe\u0301 au lait', 'CAFÉ', ['cafe\u0301']],
    ['co\u00adop', 'coop', ['co\u00adop']],
    ['tea and more tea', 'tea more', ['tea', 'more', 'tea']],
    ['aaaa', 'aa aaa', ['aaaa']],
    ['banana', 'ana', ['anana']],
    ['회의', '의회', null],
    ['hot tea', 'hot coffee', null],
    ['하', 'ㅎㅎ', null],
    ['ㅎㅎ', 'ㅎㅎ', ['ㅎㅎ']],
  ])('%j has %j: %j', (text, query, expected) => {
    const found = findWords(text, query)?.map(([offset, length]) => text.slice(offset, offset + length));
    expect(found ?? null).toEqual(expected);
  });

  const file = { content: 'the plan', file_name: null, attachments: [{ name: '예산 2026.xlsx' }] };

  test('may be in the name of a file', () => {
    expect(hasWords(file as Message, 'plan 예산')).toBe(true);
    expect(hasWords(file as Message, 'plan 회의')).toBe(false);
  });

  test.each([
    ['한그', '한글날', true],
    ['한그', '한국', false],
    ['회으', '오늘 회의', true],
    ['횡', '회의', true],
    ['갑ㅅ', '갑수', true],
    ['ㅏㄴ', '한', false],
  ])('%s on the way to %s: %s', (query, content, expected) => {
    expect(mayBecome({ content, file_name: null } as Message, query)).toBe(expected);
  });
});

test.each([
  ['횡', '회ㅇ'],
  ['회으', '회ㅇ'],
  ['오늘 횡', '오늘 회ㅇ'],
  ['값', '갑ㅅ'],
  ['있', '이ㅆ'],
  ['\u1112\u116c\u11bc', '회ㅇ'],
  ['회ㅇ', null],
  ['tea', null],
  ['', null],
])('%j with its last syllable open is %j', (text, open) => {
  expect(withOpenSyllable(text)).toBe(open);
});

describe('a snippet', () => {
  const marked = (text: string, word: string) => {
    const snippet = snippetOf(text, [[text.indexOf(word), word.length]]);
    const [offset = 0, length = 0] = snippet.places[0] ?? [];
    expect(snippet.text.slice(offset, offset + length)).toBe(word.replace(/\s/g, ' '));
    return snippet.text;
  };

  test('of a short text is the text, on one line', () => {
    expect(marked('one\ntwo\tthree', 'two')).toBe('one two three');
  });

  test('of a long text begins before the word, with a whole word', () => {
    const text = `${'before '.repeat(30)}here ${'after '.repeat(60)}`;
    expect(marked(text, 'here')).toMatch(/^…(before ){2,3}here (after )+aft.*…$/);
  });

  test.each(['👨‍👩‍👧‍👦', '👍🏽', '🇰🇷', '한', 'e\u0301', '𝒳'])('does not cut %s apart', (letter) => {
    for (let shift = 0; shift < 12; shift += 1) {
      const text = `${'x'.repeat(shift)}${letter.repeat(80)}word${letter.repeat(80)}`;
      const shown = marked(text, 'word').replaceAll('…', '');
      const [before = '', after = ''] = shown.split('word');
      expect(before.replace(/^x+/, '').replaceAll(letter, '')).toBe('');
      expect(after.replaceAll(letter, '')).toBe('');
      expect(before.length).toBeGreaterThan(10);
    }
  });

  test('has the places that are left of it', () => {
    const text = `${'a '.repeat(100)}hit ${'b '.repeat(200)}hit`;
    const { places } = snippetOf(text, [
      [200, 3],
      [604, 3],
    ]);
    expect(places).toHaveLength(1);
  });
});

test('a part of a text has the marks that reach into it', () => {
  const text = 'one two three';
  const parts = markedParts(
    [
      [0, 5],
      [8, 2],
    ],
    2,
    9,
  );
  expect(parts.map(({ start, end, isMarked }) => [text.slice(start, end), isMarked])).toEqual([
    ['e t', true],
    ['wo ', false],
    ['t', true],
  ]);
});
