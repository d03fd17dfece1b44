import { describe, expect, test } from 'vitest';
import { findLinks, isWebUrl } from '../src/client/text/links.ts';

const RLO = '\u202e';

/** Returns the text with its links in angle brackets. */
function marked(text: string): string {
  let made = '';
  let end = 0;
  for (const link of findLinks(text)) {
    expect(link.url).toBe(text.slice(link.start, link.end));
    made += `${text.slice(end, link.start)}<${link.url}>`;
    end = link.end;
  }
  return made + text.slice(end);
}

describe('a host', () => {
  test.each([
    '<https://example.com>를 보세요',
    '<https://example.com>에서',
    '<https://example.com>입니다.',
    '<https://example.com>그리고 더',
    '<https://example.com>.그리고',
    '<https://example.com>, <http://example.org>.',
    '<https://example.com>的网站',
    '<https://example.com>を見て',
    '<https://example.com>。次',
    '<https://example.com>、次',
    '<https://example.com>，',
    '<https://example.com>😀',
    '<https://example.com>\u200b한글',
    `<https://example.com>${RLO}moc.live`,
    '<https://example.com>…',
    '<https://example.com>: 설명',
    '<https://example.com:8080>를',
    '<https://example.com:8080/a>를',
    '<http://localhost>를',
    '<http://localhost:3000/x>',
    '<http://intranet/wiki>',
    '<http://192.168.0.1>에서',
    '<http://192.168.0.1:80/a>',
    '<http://[::1]:8080/a>',
    '<http://[2001:db8::1]>에',
    '<HTTPS://EXAMPLE.COM/A>',
    '<HttpS://Example.com>를',
    '주소는<https://example.com>',
    'https://<https://example.com>',
    '<https://xn--e1awd7f.com/>',
    '<https://example.com>.한국 사람',
  ])('%s', (text) => {
    expect(marked(text.replace(/<|>/g, ''))).toBe(text);
  });

  test.each([
    'https://한글.kr',
    'https://한글.kr/경로',
    'https://www.한글.kr',
    'https://도메인.한국',
    'https://example.한국/',
    'https://blog.example.한국',
  ])('of Hangul that exists is opened whole: %s', (text) => {
    expect(marked(`${text} 참고`)).toBe(`<${text}> 참고`);
    expect(new URL(findLinks(text)[0]?.url ?? '').hostname).toMatch(/xn--/);
  });

  test('of Hangul ends before a particle', () => {
    expect(marked('https://한글.kr에서')).toBe('<https://한글.kr>에서');
    expect(marked('https://도메인.한국을')).toBe('<https://도메인.한국>을');
  });

  test.each([
    'https://аррӏе.com/',
    'https://exаmple.com/',
    'https://example.comа/',
    'https://www.аррӏе.com',
    'https://example\u0301.com',
    'https://ｅxample.com',
    'https://日本語.jp/',
    'https://www.日本語.jp/',
    'https://a한글.com',
    'https://example。com',
    'https://example.com:99999/',
    'https://ex%61mple.com/',
    'https://example.com%2eevil.example',
    'https://1.2.3/',
    'https://3232235777/',
    'https://0x7f.0.0.1/',
    'https://999.1.1.1/',
    'https://xn--a/',
    'https://그리고',
    'https://예시.한국어로',
    'https://www.그리고',
    'https://',
    'https:///etc/passwd',
    'https://?q',
    'https://.example.com',
    'https://-/',
    'http://[::1',
    'http://[zz]/',
  ])('that could be another one is no link: %s', (text) => {
    expect(marked(text)).toBe(text);
  });

  test.each([
    'https://user:pw@evil.example/',
    'https://user@evil.example/a',
    'https://example.com@evil.example',
    'https://example.com:443@evil.example/',
    'https://example.com:pw를@evil.example/',
    'https://네이버.com@evil.example',
    'https://:@evil.example/',
    'https://example.com\\@evil.example/',
    'https://user＠evil.example/',
  ])('behind user info is no link: %s', (text) => {
    expect(marked(text)).toBe(text);
  });
});

describe('behind a host', () => {
  test.each([
    '<https://example.com/a>를 보세요',
    '<https://example.com/a>을',
    '<https://example.com/a>에서는 안 됩니다',
    '<https://example.com/a>으로, 그리고',
    '<https://example.com/a>입니다.',
    '<https://example.com/a>라고 합니다',
    '<https://example.com/a/>를',
    '<https://example.com/>를 보세요',
    '<https://example.com/>가',
    '<https://example.com/a.html>은',
    '<https://example.com/a?b=1>의 값',
    '<https://example.com/a#top>까지',
    '<https://ko.wikipedia.org/wiki/%EC%84%9C%EC%9A%B8>에서',
    '<https://ko.wikipedia.org/wiki/서울>',
    '<https://ko.wikipedia.org/wiki/서울에서>',
    '<https://ko.wikipedia.org/wiki/은>',
    '<https://ko.wikipedia.org/wiki/서울특별시_중구>.',
    '<https://ko.wikipedia.org/wiki/수도_(동음이의)>를',
    '<https://example.com/서울/a>를',
    '<https://example.com/?q=서울>',
    '<https://example.com/?q=서울을&lang=ko>에서',
    '<https://example.com/search?q=회의> 실',
    '<https://example.com/👨‍👩‍👧>',
    '<https://example.com/a>를. 그리고',
    '<https://example.com/#개요>',
    '<https://example.com/a-보고서>',
    '<https://example.com/wiki/東京>',
    '<https://example.com/?q=東京>',
    '<https://example.com/a>を見て',
    '<https://example.com/>を見て',
    '<https://example.com/a>的内容',
    '<https://example.com/a>是。',
    '<https://example.com/a>👍🏽',
    '<https://emojipedia.org/👍>',
    '(<https://example.com/a>)를',
    '(<https://example.com/a>를)',
    '（<https://example.com/a>）',
    '「<https://example.com/a>」を',
    '[<https://example.com/a>]',
    '{<https://example.com/a>}',
    "'<https://example.com/a>'",
    '"<https://example.com/a>"',
    '“<https://example.com/a>”',
    '‘<https://example.com/a>’라고',
    '**<https://example.com/a>**',
    '<https://example.com/a>?',
    '<https://example.com/a>!',
    '<https://example.com/a>...',
    '<https://example.com/a>，然后',
    '<https://example.com/a>。',
    '<https://example.com/a>를,',
    '<https://en.wikipedia.org/wiki/Seoul_(disambiguation)>',
    '<https://en.wikipedia.org/wiki/Seoul_(disambiguation)>를',
    '<https://example.com/a,b;c=d>',
    '<https://example.com/a>,<https://example.com/b>',
    '<https://web.archive.org/web/2020/https://example.com/>',
    '<https://example.com/@user>',
    '<https://example.com/a@b>',
    '<https://example.com?q=1>',
    '<https://example.com#top>',
    `<https://example.com/>${RLO}gpj.exe`,
    '<https://example.com/a>\u2067b',
    '<https://example.com/_a_>',
    '<https://example.com/a>\nb',
  ])('%s', (text) => {
    expect(marked(text.replace(/<|>/g, ''))).toBe(text);
  });

  test('a very long address is found whole, and soon', () => {
    const url = `https://example.com/${'a(b'.repeat(1)}${'x'.repeat(9_000)}`;
    expect(findLinks(`${url} ${'https://'.repeat(200)} ${'가'.repeat(5_000)}`)[0]?.url).toBe(url);
    const ends = ['가를.', '.를', 'a를', '😀', '👍x', '東', '(', 'a.', 'a-', 'https://', '가.', '((가)'];
    for (const end of ends)
      for (const before of ['https://example.com/', 'https://', 'https://가.'])
        expect(findLinks(before + end.repeat(3_000)).length).toBeLessThan(2);
  });
});

test.each([
  'javascript:alert(1)',
  'javascript://example.com/%0aalert(1)',
  'data:text/html,x',
  'file:///etc/passwd',
  'www.example.com',
  'example.com',
  'me@example.com',
  'mailto:me@example.com',
  'ftp://example.com',
  '//example.com',
  'xhttps://example.com',
  'git+https://example.com',
  'https:/example.com',
  'https//example.com',
])('%s is no link', (text) => {
  expect(marked(text)).toBe(text);
});

test('an address that hides its user is no web address', () => {
  expect(isWebUrl('https://example.com/a')).toBe(true);
  expect(isWebUrl('https://user:pw@example.com/a')).toBe(false);
  expect(isWebUrl('https://user@example.com/')).toBe(false);
  expect(isWebUrl('javascript:alert(1)')).toBe(false);
  expect(isWebUrl('/a')).toBe(false);
});
