'use client';

/** Hook for push: new messages are shown while no tab is open. It needs a service worker that shows them. */

import { useEffect, useMemo, useRef } from 'react';
import { offlineError } from '../core/contract/failure.ts';
import { pageBrowser } from '../core/push/pushBrowser.ts';
import { type PushState, pushDeviceOf } from '../core/push/pushDevice.ts';
import type { WorkerMessage } from '../core/push/workerEvents.ts';
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
  const device = useMemo(() => session && pushDeviceOf(session, () => pageBrowser(register)), [session]);
  useEffect(() => {
    if (!device) return;
    const ending = new AbortController();
    const { signal } = ending;
    const handleMessage = ({ data, ports }: MessageEvent<WorkerMessage | undefined>) => {
      if (data?.type === 'messenger.subscription') void device.check(true);
      else if (data?.type === 'messenger.open') newest.current?.(data.conversation_id);
      else if (data?.type === 'messenger.shows')
        ports[0]?.postMessage(session?.view.isOpen(data.conversation_id));
    };
    void device.check();
    // The user may have changed the permission in the browser's settings, or turned push off in another tab.
    window.addEventListener('focus', () => void device.check(), { signal });
    navigator.serviceWorker?.addEventListener('message', handleMessage as EventListener, { signal });
    return () => ending.abort();
  }, [session, device]);
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
