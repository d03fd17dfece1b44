/** Owns how a failure is told to a person. */

import type { Failure } from '@messenger/react';
import type { Key } from './en.ts';
import type { Translate } from './language.tsx';

const KEYS = new Map<string, Key>([
  ['offline', 'error.offline'],
  ['no_token', 'error.offline'],
  ['unanswered', 'error.unanswered'],
  ['timeout', 'error.unanswered'],
  ['forbidden', 'error.forbidden'],
  ['not_member', 'error.not_member'],
  ['not_found', 'error.not_found'],
  ['version_conflict', 'error.version_conflict'],
  ['message_too_long', 'error.message_too_long'],
  ['rate_limited', 'error.rate_limited'],
  ['overloaded', 'error.unavailable'],
  ['unavailable', 'error.unavailable'],
]);

/** Details name fields; what they say is better than nothing. */
export function reasonOf(t: Translate, failure: Failure): string {
  const key = KEYS.get(failure.code);
  if (key) return t(key);
  const details = Object.values(failure.details ?? {})
    .flat()
    .join(' ');
  return t('error.other', { message: details || failure.message || failure.code });
}
