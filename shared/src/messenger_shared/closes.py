"""Owns the close codes of a WebSocket: why the server ends it, and whether to come back."""

from enum import IntEnum

import orjson

MAX_REASON_BYTES = 123
_SENDABLE = frozenset((*range(1000, 1004), *range(1007, 1015)))


class Close(IntEnum):
    """RFC 6455's codes below 4000; 4000-4499 mean come back, 4500-4999 stay away."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
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
    """The code that answers a client's close: its own if it may be sent at all, 0 being none."""
    if code == 0:
        return Close.NORMAL
    return code if code in _SENDABLE or 3000 <= code < 5000 else Close.PROTOCOL_ERROR


def reason(code: Close, retry_after_ms: int | None = None) -> bytes:
    """The reason that travels with `code`: a small JSON object."""
    body: dict[str, object] = {"code": code.name.lower()}
    if retry_after_ms is not None:
        body["retry_after_ms"] = retry_after_ms
    return orjson.dumps(body)[:MAX_REASON_BYTES]
