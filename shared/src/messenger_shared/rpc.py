"""Owns the form of requests and answers on the bus: JSON, many of them in one bus message."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import orjson

DEFAULT_DEADLINE_S: Final = 5.0


class Request(NamedTuple):
    """One request.

    `ttl_ms` is the time that is left, since the clocks of two machines need not agree. `again` tells that it
    was asked before: what it asks for may be done already, by a worker that couldn't tell.
    """

    id: int
    operation: str
    user_id: int
    ttl_ms: int
    trace: str
    body: dict[str, Any]
    again: bool = False


class Answer(NamedTuple):
    """One answer: `body` is the operation's answer, or an error as AppError.to_wire has it."""

    id: int
    ok: bool
    body: Any


def pack_requests(sender: str, requests: list[Request]) -> bytes:
    """One bus message; an empty list makes a probe, which is not answered and only shows who listens."""
    return orjson.dumps([sender, [list(request) for request in requests]])


def unpack_requests(payload: bytes) -> tuple[str, list[Request]]:
    """The asking worker and its requests; raises ValueError."""
    try:
        sender, rows = orjson.loads(payload)
        return str(sender), [Request(*row) for row in rows]
    except TypeError as error:
        raise ValueError("malformed requests") from error


def pack_answers(answers: list[Answer]) -> bytes:
    """One bus message."""
    return orjson.dumps([list(answer) for answer in answers])


def unpack_answers(payload: bytes) -> list[Answer]:
    """The answers in a bus message; raises ValueError."""
    try:
        return [Answer(*row) for row in orjson.loads(payload)]
    except TypeError as error:
        raise ValueError("malformed answers") from error
