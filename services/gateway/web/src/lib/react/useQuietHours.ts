'use client';

/** Hook for the daily hours without pushes. */

import { useCallback, useEffect, useMemo, useState } from 'react';
import { type Failure, offlineError, toFailure } from '../core/contract/failure.ts';
import type { QuietHours } from '../core/contract/wire.ts';
import { PushRequests } from '../core/push/pushRequests.ts';
import { useSession } from './context.tsx';

export interface QuietHoursView {
  status: 'loading' | 'ready' | 'failed';
  failure: Failure | null;
  /** Null if there are none, and while they are not loaded. */
  hours: QuietHours | null;
  /** For all devices of the user; null ends them. Rejects with MessengerError. */
  setHours: (hours: QuietHours | null) => Promise<void>;
  reload: () => void;
}

type Loaded = Pick<QuietHoursView, 'status' | 'failure' | 'hours'>;

const LOADING: Loaded = { status: 'loading', failure: null, hours: null };

export function useQuietHours(): QuietHoursView {
  const session = useSession();
  const requests = useMemo(() => session && new PushRequests(session.rest), [session]);
  const [loaded, setLoaded] = useState(LOADING);
  const [attempt, setAttempt] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each attempt loads again.
  useEffect(() => {
    if (!requests) return;
    let isWanted = true;
    const show = (next: Loaded) => isWanted && setLoaded(next);
    show(LOADING);
    requests.settings().then(
      ({ quiet_hours: hours }) => show({ status: 'ready', failure: null, hours }),
      (error) => show({ status: 'failed', failure: toFailure(error), hours: null }),
    );
    return () => {
      isWanted = false;
    };
  }, [requests, attempt]);
  const setHours = useCallback(
    async (wanted: QuietHours | null) => {
      if (!requests) throw offlineError();
      const { quiet_hours: hours } = await requests.setQuietHours(wanted);
      setLoaded({ status: 'ready', failure: null, hours });
    },
    [requests],
  );
  return useMemo(
    () => ({ ...loaded, setHours, reload: () => setAttempt((count) => count + 1) }),
    [loaded, setHours],
  );
}
