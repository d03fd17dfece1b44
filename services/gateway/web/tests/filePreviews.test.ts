import { describe, expect, test } from 'vitest';
import { formatDuration, formatSize } from '../src/client/files/fileSize.ts';
import { columnsOf, heightOf, isPicture, ratioOf } from '../src/client/files/pictures.ts';
import { en, type TextKey } from '../src/client/i18n/en.ts';
import { previewOf } from '../src/client/text/messagePreview.ts';
import { kindOf } from '../src/lib/core/files/upload.ts';
import type { Attachment } from '../src/lib/core/index.ts';

const file = (change: Partial<Attachment> = {}): Attachment => ({
  file_id: 'f',
  name: 'a.png',
  size: 100,
  mime: 'image/png',
  kind: 'image',
  state: 'ready',
  ...change,
});
const t = (key: TextKey, values?: Record<string, string | number>) =>
  values ? `${key} ${values.count}` : en[key];
const preview = (attachments: Attachment[], content = '') =>
  previewOf({ content, attachments, file_url: null, file_name: null, deleted_at: null }, t);

describe('a message of files in one line', () => {
  test('tells what they are, unless there is text', () => {
    const document = file({ kind: 'file', name: 'plan\u202efdp.exe' });
    expect(preview([file()])).toBe('Photo');
    expect(preview([file(), file()])).toBe('files.pictures 2');
    expect(preview([file({ kind: 'video' })])).toBe('Video');
    expect(preview([document])).toBe('planfdp.exe');
    expect(preview([file(), document])).toBe('files.files 2');
    expect(preview([file()], 'Look')).toBe('Look');
    expect(preview([])).toBe(en['message.blank']);
  });
});

describe('sizes', () => {
  test('are short, in the language', () => {
    expect(formatSize('en', 999)).toBe('999 byte');
    expect(formatSize('en', 1_234_567)).toBe('1.2 MB');
    expect(formatSize('ko', 20_971_520)).toBe('21MB');
    expect(formatSize('en', 5e12)).toBe('5,000 GB');
  });

  test('of recordings are minutes and seconds', () => {
    expect(formatDuration(61_400)).toBe('1:01');
    expect(formatDuration(3_725_000)).toBe('1:02:05');
  });
});

describe('pictures', () => {
  test('keep their place, within bounds', () => {
    expect(ratioOf(file({ width: 800, height: 400 }))).toBe(2);
    expect(ratioOf(file({ width: 100, height: 10_000 }))).toBe(0.75);
    expect(ratioOf(file({}))).toBeCloseTo(4 / 3);
    expect(heightOf([file({ width: 640, height: 640 })])).toBe(320);
    expect(heightOf([])).toBe(0);
    expect([1, 2, 3, 4, 9].map(columnsOf)).toEqual([1, 2, 3, 2, 3]);
  });

  test('are those that can be loaded at once', () => {
    expect(isPicture(file())).toBe(true);
    expect(isPicture(file({ state: 'rejected' }))).toBe(false);
    expect(isPicture(file({ size: 90 * 2 ** 20 }))).toBe(false);
    expect(isPicture(file({ size: 90 * 2 ** 20, thumbs: [320, 840] }))).toBe(true);
  });

  test('have no scripts in them', () => {
    expect(kindOf('image/svg+xml')).toBe('file');
    expect(kindOf('image/webp')).toBe('image');
    expect(kindOf('text/html')).toBe('file');
    expect(kindOf('audio/mpeg')).toBe('audio');
  });
});
