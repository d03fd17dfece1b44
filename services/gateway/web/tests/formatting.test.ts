import { describe, expect, test } from 'vitest';
import { withoutMarks } from '../src/client/parts/FormattedText.tsx';
import { type Atom, atomsOf } from '../src/client/text/atoms.ts';
import { isEmojiOnly } from '../src/client/text/emoji.ts';
import { type FormatNode, parseFormatting } from '../src/client/text/formatting/parse.ts';

/** Writes the nodes with their kinds in angle brackets. */
function shown(text: string, atoms: readonly Atom[] = atomsOf(text)): string {
  const write = (node: FormatNode): string => {
    if (node.kind === 'text') return text.slice(node.start, node.end);
    const info = node.info ? ` ${text.slice(node.info.start, node.info.end)}` : '';
    return `<${node.kind}${info}>${node.children.map(write).join('')}</${node.kind}>`;
  };
  return parseFormatting(text, atoms).map(write).join('');
}

describe('formatting in a line', () => {
  test.each([
    ['**a** *b* _c_ __d__ ~~e~~ `f`', 'strong a,emphasis b,emphasis c,strong d,strike e,code f'],
    ['**강조**는 *기울임*도 ~~취소~~가 `코드`를', 'strong 강조,emphasis 기울임,strike 취소,code 코드'],
    ['**"강조"**를 **(주)**가 ~~(주)~~가', 'strong "강조",strong (주),strike (주)'],
    ['안녕**하세요** *강조(重)*는', 'strong 하세요,emphasis 강조(重)'],
    ['`a` and ``b ` c``', 'code a,code b ` c'],
    ['`**a** https://example.com/`', 'code **a** https://example.com/'],
    ['**two\nlines**', 'strong two\nlines'],
  ])('%s', (text, expected) => {
    const found = [...shown(text).matchAll(/<(\w+)>([^<]*)<\/\1>/g)].map(
      ([, kind, inner]) => `${kind} ${inner}`,
    );
    expect(found.join(',')).toBe(expected);
  });

  test('nests, and keeps the marks of what is nested too deep', () => {
    expect(shown('**a *b ~~c~~***')).toBe('<strong>a <emphasis>b <strike>c</strike></emphasis></strong>');
    const deep = `${'*a _b '.repeat(50)}c${' b_ a*'.repeat(50)}`;
    expect(shown(deep).match(/<\w+>/g)).toHaveLength(6);
    expect(withoutMarks(deep)).toContain('*a _b c b_ a*');
    expect(shown('> '.repeat(50)).match(/<\w+>/g)).toBeNull();
    expect(shown(`${'> '.repeat(50)}c`).match(/<\w+>/g)).toHaveLength(4);
  });

  test.each([
    'snake_case_words',
    '5*3*2 = 30',
    '5 * 3 * 2',
    '~one~ ~~~three~~~',
    '¯\\_(ツ)_/¯',
    '\\*not\\* \\`this\\`',
    '**open *and `open',
    '****',
    '`',
    '# no heading\n- no list\n1. none\n---\n===',
    '    no code\n[no](link) ![no](image) <b>no</b> &amp; <https://a>',
    '| no | table |\n|---|---|',
    '>_< >ㅁ< >.< >\n>>',
    '```\nnot closed',
    '~~~\nno fence\n~~~',
    ' spaces \t\r\n\r\n  stay\\\n \ufeff ',
  ])('stays as it was typed: %j', (text) => {
    expect(shown(text)).toBe(text);
  });

  test('leaves addresses whole', () => {
    const text = '**https://example.com/_a_** https://example.com/~~b~~?*c* *https://example.com/d*';
    expect(shown(text)).toBe(
      '<strong>https://example.com/_a_</strong> https://example.com/~~b~~?*c* <emphasis>https://example.com/d</emphasis>',
    );
  });
});

describe('blocks', () => {
  test.each([
    ['> **a**\n> b\nc', '<quote><strong>a</strong>\nb\n</quote>c'],
    ['a\n> b', 'a\n<quote>b</quote>'],
    ['> > a\n> b\n\nc', '<quote><quote>a\n</quote>b\n</quote>\nc'],
    ['> *a\n> b*', '<quote><emphasis>a\nb</emphasis></quote>'],
    ['a\n```js\n> *b*\n\nc\n```\nd', 'a\n<codeBlock js>> *b*\n\nc\n</codeBlock>d'],
    ['> ```\n> a\n> ```\nb', '<quote><codeBlock>a\n</codeBlock></quote>b'],
    ['see ```a\nb```', 'see <codeBlock>a\nb</codeBlock>'],
    ['````\n```\n````', '<codeBlock>```\n</codeBlock>'],
  ])('%j', (text, expected) => {
    expect(shown(text)).toBe(expected);
  });

  test('a preview shows their text', () => {
    expect(withoutMarks('> **a** `b`\n```js\nc\n```')).toBe('a b\njs\nc\n');
  });
});

const HOSTILE = [
  '*_',
  '*a_ ',
  '**a __b ~~c ',
  'a* b_ ',
  '*(_(',
  '> ',
  '> a\n',
  '> > > > > > a\n',
  '\n> ',
  'a)\\`` ',
  '`',
  '` ',
  '```x\n',
  '\\*',
  '_a',
  '\n',
  '[',
  '<a ',
  '&',
];
const TICKS = Array.from({ length: 140 }, (_, count) => '`'.repeat(count + 1)).join(' ');

test('hostile text is parsed soon', () => {
  const texts = HOSTILE.map((part) => part.repeat(10_000 / part.length));
  const started = performance.now();
  for (const text of [...texts, `${'>'.repeat(5_000)} a`, TICKS, `${'*'.repeat(9_000)}a*`])
    parseFormatting(text, []);
  expect(performance.now() - started).toBeLessThan(5_000);
});

test('text with more marks than anybody makes stays as it was typed', () => {
  expect(shown('*a* '.repeat(200))).toBe('<emphasis>a</emphasis> '.repeat(200));
  expect(shown('*a* '.repeat(201))).toBe('*a* '.repeat(201));
});

describe('a message of emoji', () => {
  test.each([
    '😀',
    '👍🏽 👨‍👩‍👧‍👦',
    '🇰🇷🇯🇵',
    '1️⃣',
    '❤️',
    '🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}',
    '😀'.repeat(6),
  ])('is %s', (text) => {
    expect(isEmojiOnly(text)).toBe(true);
  });
  test.each(['', ' ', '1', '#', '©', '😀a', '가😀', '😀'.repeat(7), '\u200d', 'ㅋㅋ', ':)'])(
    'is not %j',
    (text) => {
      expect(isEmojiOnly(text)).toBe(false);
    },
  );
});
