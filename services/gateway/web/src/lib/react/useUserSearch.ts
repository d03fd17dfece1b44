'use client';

/** Hook that finds users by name. */

import { useEffect, useMemo } from 'react';
import { IDLE_SEARCH, UserSearch, type UserSearchState } from '../core/conversations/userSearch.ts';
import { useSession } from './context.tsx';
import { useReadable } from './useReadable.ts';

/**
 * Searches while the query changes, with a pause after each key press. An empty query finds nobody. Who can
 * be found is set by the gateway's operator (`MESSENGER_DIRECTORY`).
 */
export function useUserSearch(query: string): UserSearchState {
  const session = useSession();
  const search = useMemo(
    () => (session ? new UserSearch((text) => session.people.find(text)) : null),
    [session],
  );
  useEffect(() => search?.search(query), [search, query]);
  useEffect(() => () => search?.stop(), [search]);
  return useReadable(search?.state, IDLE_SEARCH);
}
