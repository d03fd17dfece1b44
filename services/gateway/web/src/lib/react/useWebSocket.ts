'use client';

/** Hook for the connection to the gateway. */

import { useMemo } from 'react';
import type { ConnectionState } from '../core/connection/socketConnection.ts';
import type { Failure } from '../core/contract/failure.ts';
import type { AnswerFrame, Command } from '../core/contract/wire.ts';
import { useMessenger } from './context.tsx';
import { useReadable } from './useReadable.ts';

const IDLE: ConnectionState = { phase: 'idle' };

export interface WebSocketView {
  /** The state of this browser's connection, which all its tabs share. */
  state: ConnectionState;
  isOnline: boolean;
  lastError: Failure | null;
  /** Sends any command of the protocol. Resolves to its answer, or rejects with a MessengerError. */
  send: (command: Command) => Promise<AnswerFrame>;
  /** Reconnects from `away`. Call it when there is a new token. */
  renew: () => void;
  /** Ends the wait before the next try. */
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
