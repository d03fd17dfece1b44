/** Owns what went wrong, told alike whether the socket, REST or the network said it. */

import type { ErrorFrame } from './wire.ts';

/** The gateway's codes, and three of our own: `offline`, `unanswered`, `bad_answer`. */
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

export const errorOf = ({ code, message, retryable, retry_after_ms: wait, details }: ErrorFrame) =>
  new MessengerError({
    code,
    message,
    retryable,
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
    ...(details ? { details: details as Record<string, string[]> } : {}),
  });

export const offline = () =>
  new MessengerError({ code: 'offline', message: 'Not connected', retryable: true });

export const unanswered = (why: string) =>
  new MessengerError({ code: 'unanswered', message: why, retryable: true });

/** Any error as plain data that can be kept and posted. */
export function failureOf(error: unknown): Failure {
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
