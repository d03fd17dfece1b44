'use client';

/** Hook that finds messages by words. */

import { useEffect, useMemo, useRef } from 'react';
import { IDLE_MESSAGE_SEARCH, MessageSearch, type SearchState } from '../core/search/messageSearch.ts';
import { keyOf, type SearchFilters } from '../core/search/query.ts';
import { useSession } from './context.tsx';
import { useReadable } from './useReadable.ts';

export interface SearchView extends SearchState {
  /** Loads older hits. After a failure it tries again. */
  loadMore: () => void;
  /** Tries again what has failed. */
  retry: () => void;
}

const EVERYWHERE: SearchFilters = {};

/**
 * Searches all of the user's messages, or some of them, while the query changes, with a pause after each key press. An
 * empty query finds nothing.
 */
export function useSearch(query: string, filters: SearchFilters = EVERYWHERE): SearchView {
  const session = useSession();
  const search = useMemo(
    () =>
      session
        ? new MessageSearch((request, signal) => session.search.page(request, signal), session.connection)
        : null,
    [session],
  );
  useEffect(() => {
    search?.start();
    return () => search?.stop();
  }, [search]);
  // Callers often make a new object for each drawing.
  const newest = useRef(filters);
  useEffect(() => {
    newest.current = filters;
  });
  const key = keyOf(query, filters);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key changes with the query and the filters.
  useEffect(() => search?.search(query, newest.current), [search, key]);
  const state = useReadable(search?.state, IDLE_MESSAGE_SEARCH);
  return useMemo(
    () => ({ ...state, loadMore: () => search?.loadMore(), retry: () => search?.retry() }),
    [state, search],
  );
}
