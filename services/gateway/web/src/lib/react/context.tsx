'use client';

/** Owns how components come by the messenger, and by the session of its user. */

import { createContext, type ReactNode, useContext, useEffect, useRef, useState } from 'react';
import { Messenger } from '../core/messenger.ts';
import type { Directory } from '../core/people.ts';
import type { Session } from '../core/session.ts';
import type { GetToken } from '../core/tokens.ts';
import { useReadable } from './useReadable.ts';

const Context = createContext<Messenger | null>(null);
// Read once for all who ask: a list has hundreds of them.
const SessionContext = createContext<Session | null>(null);

export interface MessengerProviderProps {
  /** Where the gateway is; read once. */
  url: string;
  getToken: GetToken;
  /** What users are called. */
  directory?: Directory;
  children: ReactNode;
}

/** Connects while it is mounted. On a server it renders its children and connects to nothing. */
export function MessengerProvider({ url, getToken, directory, children }: MessengerProviderProps) {
  // The newest functions count, and a new function is no reason for a new socket.
  const newest = useRef({ getToken, directory });
  useEffect(() => {
    newest.current = { getToken, directory };
  }, [getToken, directory]);
  const [messenger] = useState(
    () =>
      new Messenger(url, (ask) => newest.current.getToken(ask), {
        directory: (ids) => newest.current.directory?.(ids) ?? {},
      }),
  );
  useEffect(() => {
    messenger.start();
    return () => messenger.stop();
  }, [messenger]);
  const session = useReadable(messenger.session, null);
  return (
    <Context value={messenger}>
      <SessionContext value={session}>{children}</SessionContext>
    </Context>
  );
}

export function useMessenger(): Messenger {
  const messenger = useContext(Context);
  if (!messenger) throw new Error('This has to be inside a MessengerProvider');
  return messenger;
}

/** Null until the first token has said who the user is. */
export function useSession(): Session | null {
  useMessenger();
  return useContext(SessionContext);
}
