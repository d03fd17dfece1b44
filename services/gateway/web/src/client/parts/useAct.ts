/** Owns doing what may fail: whether it is under way, and how it failed. */

import { type Failure, MessengerError } from '@messenger/react';
import { useCallback, useState } from 'react';

export interface Acting {
  isBusy: boolean;
  failure: Failure | null;
  /** True if it was done. */
  act: (what: () => Promise<unknown>) => Promise<boolean>;
  clear: () => void;
}

export function useAct(): Acting {
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const act = useCallback(async (what: () => Promise<unknown>) => {
    setBusy(true);
    setFailure(null);
    try {
      await what();
      return true;
    } catch (error) {
      if (!(error instanceof MessengerError)) throw error;
      setFailure(error);
      return false;
    } finally {
      setBusy(false);
    }
  }, []);
  return { isBusy, failure, act, clear: () => setFailure(null) };
}
