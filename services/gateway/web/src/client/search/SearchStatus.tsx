/** Says how the search for messages goes: on the screen where there is something to do or to wait for, and aloud. */

import { type SearchView, useWebSocket } from '@messenger/react';
import { failureText } from '../i18n/failures.ts';
import { useT } from '../i18n/language.tsx';

export interface SearchStatusProps {
  search: SearchView;
  text: string;
  conversationCount: number;
}

export function SearchStatus({ search, text, conversationCount }: SearchStatusProps) {
  const t = useT();
  const { status, hits, hasMore, isLoadingMore, isPartial, failure } = search;
  const isEmpty = hits.length === 0;
  const isWaiting = status === 'searching' && isEmpty;
  const hint = useHint(search, text);
  return (
    <>
      {isWaiting && (
        <div className="search-waiting" aria-hidden="true">
          {[1, 2, 3].map((n) => (
            <div key={n} className="skeleton" />
          ))}
        </div>
      )}
      {hint && <p className="search-hint quiet">{hint}</p>}
      {failure && (
        <p className="search-hint failed" role="alert">
          <span>{failureText(t, failure)}</span>
          <button type="button" className="button small" onClick={search.retry}>
            {t('tryAgain')}
          </button>
        </p>
      )}
      {status === 'ready' && hasMore && !failure && (
        <p className="search-hint">
          {isPartial && <span className="quiet">{t('search.partial')}</span>}
          <button
            type="button"
            className="button small"
            aria-disabled={isLoadingMore}
            onClick={search.loadMore}
          >
            {t(isLoadingMore ? 'search.searching' : isPartial ? 'search.goOn' : 'showMore')}
          </button>
        </p>
      )}
      <p className="sr-only" role="status">
        {useAnnouncement(search, conversationCount)}
      </p>
    </>
  );
}

/** What there is instead of messages. */
function useHint({ status, hits, hasMore, isPartial, failure }: SearchView, text: string): string | null {
  const t = useT();
  const { isOnline } = useWebSocket();
  if (status === 'short') return t('search.short');
  if (status === 'idle') return t('search.words');
  if (status === 'searching' && !isOnline && hits.length === 0) return t('search.offline');
  if (status === 'searching' && isPartial && hits.length === 0) return t('search.goesOn');
  if (status !== 'ready' || hits.length > 0 || hasMore || failure) return null;
  return t('search.none', { text: text.trim() });
}

/** Counts are those of what is shown: nobody knows how many there are. */
function useAnnouncement({ status, hits, isLoadingMore }: SearchView, conversations: number): string {
  const t = useT();
  if (status === 'searching' || isLoadingMore) return t('search.searching');
  if (status !== 'ready') return '';
  return t('search.shown', { conversations, messages: hits.length });
}
