import { describe, expect, test } from 'vitest';
import {
  type DraftMention,
  endOf,
  mentionBeside,
  queryAt,
  restOfMention,
  trackEdit,
} from '../src/client/text/draftMentions.ts';
import { draftMentionsOf, mentionFieldsOf } from '../src/client/text/mentionFields.ts';
import { rankOf } from '../src/client/text/nameSearch.ts';

const MINSU: DraftMention = { user: 2, start: 3, label: '@민수' };
const TEXT = '안녕 @민수님이 왔어요';

/** Makes an edit as a browser does: the caret is then behind what was put in. */
function edited(text: string, start: number, end: number, put: string) {
  return { after: text.slice(0, start) + put + text.slice(end), caret: start + put.length };
}

describe('a mention', () => {
  test.each([
    ['moves with what is typed before it', 0, 0, '저기, ', 7],
    ['moves with what is deleted before it', 0, 3, '', 0],
    ['moves when its neighbour is replaced', 2, 3, '하세요 ', 6],
    ['stays when a particle follows it', 6, 6, '씨', 3],
    ['stays when what follows it goes', 6, TEXT.length, '', 3],
    ['moves when a line comes directly before it', 3, 3, '\n', 4],
    ['ends when something is typed in it', 5, 5, 'x', null],
    ['ends when a part of it goes', 5, 6, '', null],
    ['ends when it is written over', 2, 8, '😀', null],
    ['ends when it is replaced by the same text', 3, 6, '@민수', null],
  ] as const)('%s', (_, start, end, put, expected) => {
    const { after, caret } = edited(TEXT, start, end, put);
    const tracked = trackEdit([MINSU], TEXT, after, caret);
    // Replacing text by the same text is no edit that can be seen.
    const isSame = after === TEXT;
    expect(tracked).toEqual(expected === null && !isSame ? [] : [{ ...MINSU, start: expected ?? 3 }]);
  });

  test('is the one that was not deleted, of two that read the same', () => {
    const [one, other] = [
      { user: 2, start: 0, label: '@민수' },
      { user: 3, start: 3, label: '@민수' },
    ];
    expect(trackEdit([one, other], '@민수@민수', '@민수', 0)).toEqual([{ ...other, start: 0 }]);
    expect(trackEdit([one, other], '@민수@민수', '@민수', 3)).toEqual([one]);
  });

  test('is tracked through any edits, and never stands in a wrong place', () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    const parts = ['@aa', 'a', '@', '가', '😀', ' ', 'aa@aa'];
    for (let round = 0; round < 300; round += 1) {
      let text = 'a @aa@aa a@aa ';
      let mentions = [2, 5, 10].map((start, user) => ({ user, start, label: '@aa' }));
      for (let step = 0; step < 12; step += 1) {
        const start = random(text.length + 1);
        const end = Math.min(text.length, start + random(4));
        const put = random(2) ? (parts[random(parts.length)] ?? '') : '';
        const { after, caret } = edited(text, start, end, put);
        const expected = mentions
          .filter((each) => endOf(each) <= start || each.start >= end)
          .map((each) =>
            endOf(each) <= start ? each : { ...each, start: each.start + put.length - (end - start) },
          );
        const tracked = trackEdit(mentions, text, after, caret);
        // An edit may happen to leave the same text in a mention.
        expect(tracked.filter((each) => expected.some(({ user }) => user === each.user))).toEqual(expected);
        for (const { start: at, label } of trackEdit(mentions, text, after, random(after.length + 1)))
          expect(after.slice(at, at + label.length)).toBe(label);
        [text, mentions] = [after, expected];
      }
    }
  });

  test('is one unit for Backspace and Delete', () => {
    expect(mentionBeside([MINSU], 6, 'Backspace')).toBe(MINSU);
    expect(mentionBeside([MINSU], 3, 'Delete')).toBe(MINSU);
    expect(mentionBeside([MINSU], 5, 'Backspace')).toBeUndefined();
    expect(mentionBeside([MINSU], 6, 'Delete')).toBeUndefined();
    expect(restOfMention([MINSU], TEXT, '안녕 @민님이 왔어요', 5)).toEqual({ start: 3, end: 5 });
    expect(restOfMention([MINSU], TEXT, '안녕 민수님이 왔어요', 3)).toEqual({ start: 3, end: 5 });
    expect(restOfMention([MINSU], TEXT, '안녕 @수님이 왔어요', 4)).toBeNull();
    expect(restOfMention([MINSU], TEXT, '안녕 님이 왔어요', 3)).toBeNull();
    expect(restOfMention([MINSU], TEXT, '안녕 @민수이 왔어요', 6)).toBeNull();
  });
});

describe('a message', () => {
  test('has the mentions that stand in its text, without the white space around it', () => {
    const all: DraftMention = { user: 'all', start: 8, label: '@all' };
    const gone: DraftMention = { user: 4, start: 1, label: '@x' };
    expect(
      mentionFieldsOf('  @민수님 @all ', [{ ...MINSU, start: 2 }, { ...all, start: 7 }, gone], null),
    ).toEqual({
      entities: [{ type: 'mention', user_id: 2, offset: 0, length: 3 }],
      mentions: { all: true },
    });
    expect(mentionFieldsOf('@민수 @all', [], null)).toEqual({});
  });

  test('gives its mentions back when it is edited, also those that are not in the text', () => {
    const message = {
      content: 'hi @모두 and @민수',
      mentions: { all: true, user_ids: [2, 9] },
      entities: [{ type: 'mention' as const, user_id: 2, offset: 11, length: 3 }],
    };
    const draft = draftMentionsOf(message);
    expect(draft).toEqual([
      { user: 'all', start: 3, label: '@모두' },
      { user: 2, start: 11, label: '@민수' },
    ]);
    expect(mentionFieldsOf(message.content, draft, message)).toEqual({
      entities: message.entities,
      mentions: { all: true, user_ids: [9] },
    });
    expect(mentionFieldsOf('nobody', draft, message)).toEqual({ mentions: { user_ids: [9] } });
    const hidden = { ...message, content: 'all', entities: [] };
    expect(mentionFieldsOf('x', draftMentionsOf(hidden), hidden)).toEqual({
      mentions: { all: true, user_ids: [2, 9] },
    });
  });
});

test.each([
  ['@', 1, ''],
  ['저 @민', 4, '민'],
  ['안녕@민수 오', 7, '민수 오'],
  ['(@ad', 4, 'ad'],
  ['@ada lo', 7, 'ada lo'],
  ['a\n@b', 4, 'b'],
  ['me@example', 10, null],
  ['@ now', 5, null],
  ['@ada\nx', 6, null],
  ['no', 2, null],
  [TEXT, 6, null],
  [TEXT, 8, null],
  [`@${'x'.repeat(60)}`, 61, null],
] as const)('the name behind the @ in %j at %i is %j', (text, caret, expected) => {
  expect(queryAt(text, caret, [MINSU])?.text ?? null).toBe(expected);
});

describe('a name is found', () => {
  test.each([
    ['김민수', 'ㄱㅁㅅ', 0],
    ['김민수', 'ㅁㅅ', 2],
    ['김민수', '민수', 2],
    ['김민수', '김', 0],
    ['민수', '밋', null],
    ['미소', '밋', 0],
    ['민수', 'ㅁ', 0],
    ['민수', '미', 0],
    ['민수', '민ㅅ', 0],
    ['갑수', '값', 0],
    ['박시연', 'ㅄ', 0],
    ['과장', '고', 0],
    ['민수'.normalize('NFD'), '민수', 0],
    ['Ada Lovelace', 'love', 1],
    ['Ada Lovelace', 'ADA L', 0],
    ['Ａｄａ', 'ada', 0],
    ['Straße', 'STRASS', 0],
    ['Grace', 'ra', 2],
    ['Grace', 'x', null],
    ['민수', '수민', null],
    ['anyone', '', 0],
  ] as const)('%s by %s', (name, query, rank) => {
    expect(rankOf(name, query)).toBe(rank ?? Number.POSITIVE_INFINITY);
  });
});
