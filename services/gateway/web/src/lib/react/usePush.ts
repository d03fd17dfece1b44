'use client';

/** Hook for push: new messages are shown while no tab is open. It needs a service worker that shows them. */

import { useEffect, useMemo, useRef } from 'react';
import { offlineError } from '../core/contract/failure.ts';
import { pageBrowser } from '../core/push/pushBrowser.ts';
import type { PushState } from '../core/push/pushDevice.ts';
import { pushPageOf } from '../core/push/pushPage.ts';
import { useSession } from './context.tsx';
import { useReadable } from './useReadable.ts';

export interface PushOptions {
  /** Registers the service worker. It is called when the page has none. Later changes have no effect. */
  register: () => Promise<unknown>;
  /** The user clicked on a notification of this conversation. One component of the page is enough. */
  onOpen?: (conversationId: string) => void;
}

export interface PushView extends PushState {
  /** Asks the user for permission, so call it for a press of theirs. Rejects with MessengerError. */
  turnOn: () => Promise<void>;
  /** Call it also before the user signs out. */
  turnOff: () => Promise<void>;
  /** Pushes a test to all devices of the user. Rejects with MessengerError. */
  sendTest: () => Promise<void>;
}

const CHECKING: PushState = { status: 'checking', obstacle: null };

export function usePush({ register, onOpen }: PushOptions): PushView {
  const session = useSession();
  const newest = useRef(onOpen);
  useEffect(() => {
    newest.current = onOpen;
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the session's first call decides.
  const page = useMemo(() => session && pushPageOf(session, () => pageBrowser(register)), [session]);
  useEffect(() => page?.use(() => newest.current), [page]);
  const device = page?.device;
  const state = useReadable(device?.state, CHECKING);
  return useMemo(() => {
    const offline = () => Promise.reject(offlineError());
    return {
      ...state,
      turnOn: () => device?.turnOn() ?? offline(),
      turnOff: () => device?.turnOff() ?? Promise.resolve(),
      sendTest: () => device?.sendTest() ?? offline(),
    };
  }, [state, device]);
}
