"""Owns the form of requests and answers on the bus: many of them in one bus message."""

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
    """One answer: `body` is the JSON of the operation's answer, or of an error as AppError.to_wire has it."""

    id: int
    ok: bool
    body: bytes


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
    """One bus message: a JSON line of headers, then the bodies end to end, for doors to pass on unread."""
    headers = [(answer.id, answer.ok, len(answer.body)) for answer in answers]
    return b"\n".join((orjson.dumps(headers), b"".join([answer.body for answer in answers])))


def unpack_answers(payload: bytes) -> list[Answer]:
    """The answers in a bus message; raises ValueError."""
    head, _, bodies = payload.partition(b"\n")
    answers: list[Answer] = []
    start = 0
    try:
        for id_, ok, length in orjson.loads(head):
            answers.append(Answer(id_, ok, bodies[start : start + length]))
            start += length
    except TypeError as error:
        raise ValueError("malformed answers") from error
    if start != len(bodies):
        raise ValueError("bodies do not match their headers")
    return answers
