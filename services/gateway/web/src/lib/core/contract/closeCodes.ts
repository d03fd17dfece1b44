/** Says how a client must react to a close code: reconnect, reconnect with a fresh token, or stay away. */

export type CloseReaction = 'reconnect' | 'renew' | 'stay_away';

const NOT_AUTHORISED = 1008;
const TOKEN_EXPIRED = 4005;
const STAY_AWAY = { from: 4500, to: 4999 };

/** All other codes come from a server or network problem, which is temporary. */
export function reactionTo(code: number): CloseReaction {
  if (code === NOT_AUTHORISED || code === TOKEN_EXPIRED) return 'renew';
  return code >= STAY_AWAY.from && code <= STAY_AWAY.to ? 'stay_away' : 'reconnect';
}

export interface CloseReason {
  code?: string;
  retryAfterMs?: number;
}

/**
 * Parses the close reason. On 1008 and from 4000 on it is a small JSON object. Any other text counts as an
 * empty object.
 */
export function parseCloseReason(text: string): CloseReason {
  try {
    const found: unknown = JSON.parse(text);
    if (typeof found !== 'object' || found === null) return {};
    const { code, retry_after_ms: wait } = found as { code?: unknown; retry_after_ms?: unknown };
    return {
      ...(typeof code === 'string' ? { code } : {}),
      ...(typeof wait === 'number' && wait >= 0 ? { retryAfterMs: wait } : {}),
    };
  } catch {
    return {};
  }
}
