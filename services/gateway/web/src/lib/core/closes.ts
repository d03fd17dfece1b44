/** Owns what a close code asks of a client: come back, come back with a fresh token, or stay away. */

export type Verdict = 'return' | 'renew' | 'stay';

const NOT_AUTHORISED = 1008;
const TOKEN_EXPIRED = 4005;
const STAY_AWAY = { from: 4500, to: 4999 };

/** Whatever is not said to be final is trouble of a server or a network, and trouble passes. */
export function verdictOn(code: number): Verdict {
  if (code === NOT_AUTHORISED || code === TOKEN_EXPIRED) return 'renew';
  return code >= STAY_AWAY.from && code <= STAY_AWAY.to ? 'stay' : 'return';
}

export interface CloseReason {
  code?: string;
  retryAfterMs?: number;
}

/** The reason on 1008 and from 4000 on is a small JSON object; anything else counts as an empty one. */
export function reasonOf(text: string): CloseReason {
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
