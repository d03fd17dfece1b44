import { afterEach, describe, expect, test, vi } from 'vitest';
import { en } from '../src/client/i18n/en.ts';
import { isolateBidi, stripBidiControls } from '../src/client/text/bidi.ts';
import { firstGraphemes, truncate } from '../src/client/text/graphemes.ts';
import { initials } from '../src/client/text/initials.ts';
import { fileName, type PreviewFields, previewOf } from '../src/client/text/messagePreview.ts';

const FAMILY = '👨‍👩‍👧‍👦';
const SCOTLAND = '🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}';
const KISS = '🧑🏻‍❤️‍💋‍🧑🏿';
const GRAPHEMES = ['a', '한', '각', 'é', FAMILY, SCOTLAND, KISS, '🇰🇷', '1️⃣', '👍🏽', 'நி', '\r\n', '😀'];
const heap = `Z${'\u0301'.repeat(500)}`;

describe('cutting', () => {
  test.each(GRAPHEMES)('never splits %j', (grapheme) => {
    for (let before = 0; before <= 12; before += 1) {
      const text = `${'x'.repeat(before)}${grapheme}tail`;
      for (let most = before + 1; most <= text.length; most += 1) {
        const made = truncate(text, most);
        if (before === 0 && most < grapheme.length) continue;
        const isWhole = most >= before + grapheme.length;
        expect(made, `${before} ${most}`).toBe(isWhole ? text.slice(0, most) : 'x'.repeat(before));
      }
    }
  });

  test('leaves alone what fits', () => {
    expect(truncate(FAMILY, FAMILY.length)).toBe(FAMILY);
    expect(truncate('', 5)).toBe('');
  });

  test('counts flags in pairs from their beginning', () => {
    expect(truncate('🇰🇷🇯🇵🇺🇸', 10)).toBe('🇰🇷🇯🇵');
  });

  test('ends a heap of accents all the same, and no surrogate pair', () => {
    expect(truncate(heap, 100)).toHaveLength(100);
    expect(truncate(`😀${'\u0301'.repeat(500)}`, 1)).toBe('');
    expect(firstGraphemes(heap, 2)).toEqual(['Z']);
  });

  test('where a browser knows no graphemes, no pair is split', async () => {
    vi.resetModules();
    vi.stubGlobal('Intl', { ...Intl, Segmenter: undefined });
    const old = await import('../src/client/text/graphemes.ts');
    expect(old.truncate('ab😀', 3)).toBe('ab');
    expect(old.truncate('ab😀c', 4)).toBe('ab😀');
    expect(old.firstGraphemes('😀b', 1)).toEqual(['😀']);
  });
});

afterEach(() => void vi.unstubAllGlobals());

describe('initials', () => {
  test.each([
    ['Ada Lovelace', 'AL'],
    ['grace', 'GR'],
    ['User 1234', '234'],
    ['홍길동', '홍길'],
    ['홍길동'.normalize('NFD'), '홍길'.normalize('NFD')],
    [`${FAMILY} Kim`, `${FAMILY}K`],
    [FAMILY, FAMILY],
    [`${FAMILY}Kim`, `${FAMILY}K`],
    ['🇰🇷🇯🇵', '🇰🇷🇯🇵'],
    ['e\u0301tude', 'E\u0301T'],
    ['\u202eevil name', 'EN'],
    ['\u200b\u3164 Kim', 'KI'],
    [`${heap} ${heap}`, 'ZZ'],
    ['', ''],
    [' \u200b ', ''],
  ])('of %j are %j', (name, expected) => {
    expect(initials(name)).toBe(expected);
  });
});

describe('text that turns', () => {
  test('shows the true end of a file’s name', () => {
    expect(fileName('invoice\u202efdp.exe')).toBe('invoicefdp.exe');
    expect(fileName('\u2066a\u2069\u200f.txt')).toBe('a.txt');
    expect(fileName('\u202e')).toBeNull();
    expect(fileName(null)).toBeNull();
  });

  test('is told apart from what is beside it', () => {
    expect(isolateBidi('Ada')).toBe('Ada');
    expect(isolateBidi('홍길동 😀 (1)')).toBe('홍길동 😀 (1)');
    expect(isolateBidi('שלום')).toBe('\u2068שלום\u2069');
    expect(isolateBidi('abc\u202edef')).toBe('abcdef');
    expect(isolateBidi('\u2069\u202eשלום')).toBe('\u2068שלום\u2069');
    expect(stripBidiControls('a\u061c\u200e\u200f\u202a\u202e\u2066\u2069b')).toBe('ab');
  });
});

describe('what a message says in one line', () => {
  const t = (key: keyof typeof en) => en[key];
  const message = (made: Partial<PreviewFields>): PreviewFields => ({
    content: null,
    file_name: null,
    file_url: null,
    deleted_at: null,
    ...made,
  });
  test.each([
    [{ content: 'hello' }, 'hello'],
    [{ content: '0' }, '0'],
    [{ content: ' \u200b', file_name: 'a\u202etxt.exe' }, 'atxt.exe'],
    [{ content: '', file_url: 'https://files.example/1' }, 'File'],
    [{ content: '\u3164', file_name: '\u200b', file_url: 'https://files.example/1' }, 'File'],
    [{ content: '\u3164' }, 'Empty message'],
    [{ content: 'hello', deleted_at: '2026-01-01T00:00:00Z' }, 'This message was deleted'],
  ] as const)('%j', (made, expected) => {
    expect(previewOf(message(made), t)).toBe(expected);
  });
});
