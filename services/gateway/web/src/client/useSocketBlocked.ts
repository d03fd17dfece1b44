/** Detects a network that lets pages through but no live connections, as some proxies do. */

import type { ConnectionState } from '@messenger/react';
import { useEffect, useState } from 'react';
import { readConfig } from './config.ts';

/** After fewer tries, the cause may be a gateway that is just starting. */
const MIN_TRIES = 3;
const CONNECTION_LOST = 1006;

/** Returns true when the gateway answers a request while sockets to it fail again and again. */
export function useSocketBlocked(state: ConnectionState): boolean {
  const tries = state.phase === 'waiting' && state.code === CONNECTION_LOST ? state.attempt : 0;
  const isOnline = state.phase === 'online';
  const [isBlocked, setBlocked] = useState(false);
  useEffect(() => {
    if (isOnline) setBlocked(false);
    if (tries < MIN_TRIES) return;
    let isOver = false;
    const found = (answers: boolean) => !isOver && setBlocked(answers);
    readConfig().then(
      () => found(true),
      () => found(false),
    );
    return () => {
      isOver = true;
    };
  }, [tries, isOnline]);
  return isBlocked;
}
