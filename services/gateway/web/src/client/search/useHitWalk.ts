/** Goes from hit to hit, the newest first, and loads more of them on the way. */

import type { SearchHit, SearchView } from '@messenger/react';
import { useEffect, useRef, useState } from 'react';

/** More hits are loaded when so few are left. */
const NEAR = 5;

export interface HitWalk {
  current: SearchHit | null;
  /** `oldest`, `newest`: there is no further hit in that direction. */
  edge: 'oldest' | 'newest' | null;
  /** Whether the next older hit is still being searched for. */
  isWaiting: boolean;
  older: () => void;
  newer: () => void;
}

export function useHitWalk(search: SearchView, onGo: (hit: SearchHit) => void): HitWalk {
  const { hits, query, status, hasMore, isLoadingMore, failure } = search;
  const [currentId, setCurrentId] = useState<string | null>(null);
  const [edge, setEdge] = useState<HitWalk['edge']>(null);
  const [isWaiting, setWaiting] = useState(false);
  const lastAt = useRef(0);
  const at = hits.findIndex(({ message }) => message.id === currentId);
  if (at >= 0) lastAt.current = at;

  const go = (hit: SearchHit) => {
    setCurrentId(hit.message.id);
    setEdge(null);
    setWaiting(false);
    onGo(hit);
    if (hits.indexOf(hit) >= hits.length - NEAR) search.loadMore();
  };
  const older = () => {
    // In the place of a hit that is gone is now the next older one.
    const next = hits[at >= 0 ? at + 1 : lastAt.current];
    if (next) return go(next);
    if (status !== 'ready') return;
    setWaiting(hasMore);
    if (hasMore) search.loadMore();
    else setEdge('oldest');
  };
  const newer = () => {
    const next = hits[(at >= 0 ? at : lastAt.current) - 1];
    if (next) go(next);
    else setEdge('newest');
  };

  // The first hit of a new query is gone to at once.
  const wentFor = useRef('');
  useEffect(() => {
    if (query === wentFor.current) return;
    const [first] = hits;
    if (query !== '' && !first && status !== 'ready') return;
    wentFor.current = query;
    lastAt.current = 0;
    setEdge(null);
    setWaiting(false);
    if (first) go(first);
    else setCurrentId(null);
  });
  useEffect(() => {
    if (!isWaiting || status !== 'ready' || isLoadingMore) return;
    if (hits[at + 1]) older();
    else {
      setWaiting(false);
      if (!hasMore && !failure) setEdge('oldest');
    }
  });
  return { current: hits[at] ?? null, edge, isWaiting, older, newer };
}
