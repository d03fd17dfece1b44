import korean from 'emojibase-data/ko/data.json';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { EMOJI, EMOJI_GROUPS, findEmoji } from '../src/client/emoji/emojiList.ts';
import { recentEmoji, rememberEmoji } from '../src/client/emoji/emojiPreferences.ts';
import { searchEmoji } from '../src/client/emoji/searchEmoji.ts';
import { SKIN_TONES, withTone } from '../src/client/emoji/skinTones.ts';
import { emojiKey } from '../src/lib/index.ts';

const found = (query: string) => searchEmoji(query).map((each) => each.emoji);

describe('the list', () => {
  test('has every group, and names in both languages', () => {
    expect(new Set(EMOJI.map((each) => each.group))).toEqual(new Set(EMOJI_GROUPS));
    expect(EMOJI.length).toBeGreaterThan(1_800);
    expect(EMOJI.filter(({ names }) => !names.en || !/\p{sc=Hang}|\d|ATM|DNA/u.test(names.ko))).toEqual([]);
    expect(findEmoji('👍')?.names).toEqual({ en: 'thumbs up', ko: '올린 엄지' });
  });

  test('has each skin tone as Unicode writes it', () => {
    const toned = korean.filter(
      (each) => findEmoji(each.emoji)?.hasTones || findEmoji(emojiKey(each.emoji))?.hasTones,
    );
    expect(toned.length).toBeGreaterThan(300);
    for (const { emoji, skins = [] } of toned) {
      const known = findEmoji(emoji) ?? findEmoji(emojiKey(emoji));
      for (const skin of skins.filter((each) => typeof each.tone === 'number')) {
        const tone = SKIN_TONES.find((each) => each === skin.tone) ?? 0;
        expect(emojiKey(withTone(known?.emoji ?? '', tone))).toBe(emojiKey(skin.emoji));
      }
    }
  });
});

describe('the search', () => {
  test.each([
    ['thumbs up', '👍'],
    ['HEART', '❤️'],
    ['ｈｅａｒｔ', '❤️'],
    ['엄지', '👍'],
    ['하트', '❤️'],
    ['하트'.normalize('NFD'), '❤️'],
    ['좋아요', '👍'],
    ['대한민국', '🇰🇷'],
    ['south korea', '🇰🇷'],
  ])('%s finds %s', (query, emoji) => {
    expect(found(query)).toContain(emoji);
  });

  test('finds by the syllable that is being composed', () => {
    for (const step of ['ㅎ', '하']) expect(found(step).length).toBeGreaterThan(0);
    for (const step of ['핱', '하트']) expect(found(step)).toContain('❤️');
  });

  test('has names that begin with the query first', () => {
    expect(found('rocket')[0]).toBe('🚀');
    expect(found('로켓')[0]).toBe('🚀');
  });

  test('finds nothing for nothing', () => {
    expect([found(''), found('  '), found('qqqq')]).toEqual([[], [], []]);
  });
});

describe('recent emoji', () => {
  afterEach(() => vi.unstubAllGlobals());

  test('are each user’s own, the newest first, and not too many', () => {
    for (const emoji of ['👍', '❤️', '👍']) rememberEmoji(1, emoji);
    expect([recentEmoji(1), recentEmoji(2)]).toEqual([['👍', '❤️'], []]);
    for (const { emoji } of EMOJI.slice(0, 100)) rememberEmoji(1, emoji);
    expect(recentEmoji(1)).toHaveLength(24);
  });

  test('are remembered without storage too', () => {
    vi.stubGlobal('localStorage', {
      getItem: () => {
        throw new DOMException('denied', 'SecurityError');
      },
    });
    rememberEmoji(3, '🎉');
    expect(recentEmoji(3)).toEqual(['🎉']);
  });
});
