/** The texts of failures. */

import type { Failure } from '@messenger/react';
import { expect, test } from 'vitest';
import { failureText } from '../src/client/i18n/failures.ts';

const t = (key: string, values?: Record<string, unknown>) =>
  values ? `${key} ${JSON.stringify(values)}` : key;

function textOf(code: string, details?: Record<string, string[]>): string {
  const failure: Failure = { code, message: 'The message', retryable: false, ...(details && { details }) };
  return failureText(t as never, failure);
}

test('a rejected message is explained in the words of the host, if it has any', () => {
  expect(textOf('message_rejected', { content: ['광고는 안 됩니다.'] })).toBe('광고는 안 됩니다.');
  expect(textOf('message_rejected')).toBe('error.message_rejected');
});

test('other failures have texts of ours, and unknown ones show what the server says', () => {
  expect(textOf('forbidden', { content: ['x'] })).toBe('error.forbidden');
  expect(textOf('else', { content: ['Too odd.'] })).toBe('error.other {"message":"Too odd."}');
  expect(textOf('else')).toBe('error.other {"message":"The message"}');
});
