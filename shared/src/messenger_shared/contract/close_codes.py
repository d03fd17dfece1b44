"""Lists the WebSocket close codes: why the server closes a socket, and whether the client may reconnect."""

from enum import IntEnum

import orjson

MAX_REASON_BYTES = 123
_SENDABLE = frozenset((*range(1000, 1004), *range(1007, 1015)))


class Close(IntEnum):
    """Below 4000 the codes of RFC 6455; 4000-4499: reconnect; 4500-4999: don't reconnect."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    # The socket began without a valid token. If its token expires later, it gets TOKEN_EXPIRED.
    UNAUTHORIZED = 1008
    INTERNAL = 1011
    DRAINING = 4001
    HEARTBEAT_LOST = 4002
    SLOW_READER = 4003
    TOKEN_EXPIRED = 4005
    FLOODING = 4006
    PROTOCOL_VIOLATION = 4501
    SESSION_REVOKED = 4503
    TOO_MANY_SOCKETS = 4504


def answer(code: int) -> int:
    """The code that answers a client's close `code` (0 for none): the same code if RFC 6455 allows it."""
    if code == 0:
        return Close.NORMAL
    return code if code in _SENDABLE or 3000 <= code < 5000 else Close.PROTOCOL_ERROR


def reason(code: Close, retry_after_ms: int | None = None) -> bytes:
    """The close reason for `code`: a JSON object of at most MAX_REASON_BYTES."""
    body: dict[str, object] = {"code": code.name.lower()}
    if retry_after_ms is not None:
        body["retry_after_ms"] = retry_after_ms
    return orjson.dumps(body)[:MAX_REASON_BYTES]
