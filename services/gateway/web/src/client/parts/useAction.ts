/** Runs an action that may fail, and tracks whether it is under way and how it failed. */

import { type Failure, MessengerError } from '@messenger/react';
import { useCallback, useState } from 'react';

export interface ActionState {
  isBusy: boolean;
  failure: Failure | null;
  /** Resolves to true if the action succeeded. */
  run: (what: () => Promise<unknown>) => Promise<boolean>;
  clearFailure: () => void;
}

export function useAction(): ActionState {
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const run = useCallback(async (what: () => Promise<unknown>) => {
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
  return { isBusy, failure, run, clearFailure: () => setFailure(null) };
}
