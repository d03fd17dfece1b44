/** Says what each close code means, and whether the client reconnects after it. */

const MEANINGS = new Map([
  [1000, 'closed normally'],
  [1001, 'the server is leaving'],
  [1002, 'protocol error'],
  [1003, 'data of a kind that is not taken'],
  [1006, 'connection lost or refused'],
  [1007, 'invalid text'],
  [1008, 'not authorised'],
  [1009, 'frame too large'],
  [1011, 'internal error'],
  [1012, 'service restart'],
  [1013, 'try again later'],
  [4001, 'draining'],
  [4002, 'heartbeat lost'],
  [4003, 'reading too slowly'],
  [4005, 'token expired'],
  [4006, 'flooding'],
  [4501, 'protocol violation'],
  [4503, 'session revoked'],
  [4504, 'too many sockets of this user'],
]);

const SERVER_TROUBLE = new Set([1001, 1006, 1011, 1012, 1013]);

export const reconnectsAfter = (code) => SERVER_TROUBLE.has(code) || (code >= 4000 && code <= 4499);

/** The reason of 1008 and 4xxx is a small JSON object; any other reason counts as an empty object. */
export function parseCloseReason(text) {
  try {
    const parsed = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}

export function describeClose(code, reason) {
  const words = MEANINGS.get(code) ?? 'unknown code';
  return reason.code ? `${code}, ${words} (${reason.code})` : `${code}, ${words}`;
}
