'use client';

/** Owns the connection as a component sees it. */

import { useMemo } from 'react';
import type { Failure } from '../core/failure.ts';
import type { LinkState } from '../core/link.ts';
import type { AnswerFrame, Command } from '../core/wire.ts';
import { useMessenger } from './context.tsx';
import { useReadable } from './useReadable.ts';

const IDLE: LinkState = { phase: 'idle' };

export interface WebSocketView {
  /** The socket of this browser, which all its tabs share. */
  state: LinkState;
  isOnline: boolean;
  lastError: Failure | null;
  /** Any command of the protocol; its answer, or a MessengerError. */
  send: (command: Command) => Promise<AnswerFrame>;
  /** Comes back after `away`: there is another token. */
  renew: () => void;
  /** Ends a `waiting` now. */
  hurry: () => void;
}

export function useWebSocket(): WebSocketView {
  const messenger = useMessenger();
  const state = useReadable(messenger.state, IDLE);
  const lastError = useReadable(messenger.lastError, null);
  return useMemo(
    () => ({
      state,
      isOnline: state.phase === 'online',
      lastError,
      send: (command) => messenger.send(command),
      renew: () => messenger.renew(),
      hurry: () => messenger.hurry(),
    }),
    [messenger, state, lastError],
  );
}
