'use client';

/** Gives components the messenger and the session of its user. */

import { createContext, type ReactNode, useContext, useEffect, useRef, useState } from 'react';
import type { GetToken } from '../core/connection/tokens.ts';
import type { Directory } from '../core/conversations/names.ts';
import { Messenger } from '../core/messenger.ts';
import type { Session } from '../core/session.ts';
import { useReadable } from './useReadable.ts';

const Context = createContext<Messenger | null>(null);
// The session has its own context, so that it is read once for hundreds of list items.
const SessionContext = createContext<Session | null>(null);

export interface MessengerProviderProps {
  /** The gateway's URL. Later changes have no effect. */
  url: string;
  getToken: GetToken;
  /** Gives names of your own. They replace those of the profiles. */
  directory?: Directory;
  children: ReactNode;
}

/** Connects while it is mounted. On a server it renders its children and does not connect. */
export function MessengerProvider({ url, getToken, directory, children }: MessengerProviderProps) {
  // The latest functions are used, but a new function does not cause a new socket.
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

/** Null until the first token has told who the user is. */
export function useSession(): Session | null {
  useMessenger();
  return useContext(SessionContext);
}
