/** Describes failures in one form, whether they come from the socket, REST or the network. */

import type { ErrorFrame } from './wire.ts';

/**
 * `code` is one of the gateway's codes or of the client's own, such as `offline`, `unanswered` and
 * `bad_answer`.
 */
export interface Failure {
  code: string;
  message: string;
  retryable: boolean;
  retryAfterMs?: number;
  details?: Record<string, string[]>;
}

export class MessengerError extends Error implements Failure {
  readonly code: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  readonly details?: Record<string, string[]>;

  constructor({ code, message, retryable, retryAfterMs, details }: Failure) {
    super(message);
    this.name = 'MessengerError';
    this.code = code;
    this.retryable = retryable;
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
    if (details !== undefined) this.details = details;
  }
}

export const errorFromFrame = ({ code, message, retryable, retry_after_ms: wait, details }: ErrorFrame) =>
  new MessengerError({
    code,
    message,
    retryable,
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
    ...(details ? { details: details as Record<string, string[]> } : {}),
  });

export const offlineError = () =>
  new MessengerError({ code: 'offline', message: 'Not connected', retryable: true });

export const unansweredError = (why: string) =>
  new MessengerError({ code: 'unanswered', message: why, retryable: true });

export const notFoundError = (why: string) =>
  new MessengerError({ code: 'not_found', message: why, retryable: false });

export const tooLongError = (why: string) =>
  new MessengerError({ code: 'message_too_long', message: why, retryable: false });

/** Turns any error into plain data that can be stored and sent to other tabs. */
export function toFailure(error: unknown): Failure {
  if (!(error instanceof MessengerError)) {
    const message = error instanceof Error ? error.message : String(error);
    return { code: 'internal', message, retryable: false };
  }
  const { code, message, retryable, retryAfterMs, details } = error;
  return {
    code,
    message,
    retryable,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(details === undefined ? {} : { details }),
  };
}
