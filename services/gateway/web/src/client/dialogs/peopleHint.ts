/** The line below the field for people: what can be entered, or what came of the search. */

import type { User, UserSearchState } from '@messenger/react';
import { useT } from '../i18n/language.tsx';

export interface FoundPeople {
  status: UserSearchState['status'];
  users: readonly User[];
  isOpen: boolean;
}

export function usePeopleHint({ status, users, isOpen }: FoundPeople, text: string, about: string): string {
  const t = useT();
  if (status === 'off') return t('people.off');
  if (status === 'failed') return t('people.failed');
  if (isOpen) return t('people.found', { count: users.length });
  if (users.length > 0) return about;
  if (status === 'searching') return t('people.searching');
  return status === 'ready' ? t('people.none', { text: text.trim() }) : about;
}
