/** Turns a failure into a text for the user. */

import type { Failure } from '@messenger/react';
import type { TextKey } from './en.ts';
import type { Translate } from './language.tsx';

const KEYS = new Map<string, TextKey>([
  ['offline', 'error.offline'],
  ['no_token', 'error.offline'],
  ['unanswered', 'error.unanswered'],
  ['timeout', 'error.unanswered'],
  ['forbidden', 'error.forbidden'],
  ['not_member', 'error.not_member'],
  ['not_found', 'error.not_found'],
  ['mention_all_refused', 'error.mention_all_refused'],
  ['message_rejected', 'error.message_rejected'],
  ['version_conflict', 'error.version_conflict'],
  ['message_too_long', 'error.message_too_long'],
  ['rate_limited', 'error.rate_limited'],
  ['bad_emoji', 'error.bad_emoji'],
  ['reaction_limit', 'error.reaction_limit'],
  ['file_too_large', 'error.file_too_large'],
  ['file_type_refused', 'error.file_type_refused'],
  ['quota_exceeded', 'error.quota_exceeded'],
  ['file_empty', 'error.file_empty'],
  ['file_lost', 'error.file_lost'],
  ['file_unreadable', 'error.file_unreadable'],
  ['overloaded', 'error.unavailable'],
  ['unavailable', 'error.unavailable'],
]);

/** The details name fields of the protocol. They are shown because that is better than nothing. */
export function failureText(t: Translate, failure: Failure): string {
  const details = Object.values(failure.details ?? {})
    .flat()
    .join(' ');
  // The host's own words go before ours.
  if (failure.code === 'message_rejected' && details) return details;
  const key = KEYS.get(failure.code);
  if (key) return t(key);
  return t('error.other', { message: details || failure.message || failure.code });
}
