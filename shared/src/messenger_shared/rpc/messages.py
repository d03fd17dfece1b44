"""Encodes and decodes requests and answers on the bus, several in one bus message."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import orjson

DEFAULT_DEADLINE_S: Final = 5.0
# A caller that has no answer after this time asks another worker.
RETRY_ELSEWHERE_S: Final = 2.0


class Request(NamedTuple):
    """One request.

    `ttl_ms` is the time left, not a moment, because the clocks of two machines may differ. `is_retry` is true
    for a retry: another worker may have carried the request out already and failed to answer.
    """

    id: int
    operation: str
    user_id: int
    ttl_ms: int
    trace: str
    body: dict[str, Any]
    is_retry: bool = False


class Answer(NamedTuple):
    """One answer: `body` is the JSON of the operation's answer if `ok`, else of `AppError.to_wire`."""

    id: int
    ok: bool
    body: bytes


def pack_requests(sender: str, requests: list[Request]) -> bytes:
    """One bus message. An empty list makes a probe: it gets no answer, only the receipt matters."""
    return orjson.dumps([sender, [list(request) for request in requests]])


def unpack_requests(payload: bytes) -> tuple[str, list[Request]]:
    """The id of the sending worker, and its requests; raises ValueError."""
    try:
        sender, rows = orjson.loads(payload)
        return str(sender), [Request(*row) for row in rows]
    except TypeError as error:
        raise ValueError("malformed requests") from error


def pack_answers(answers: list[Answer]) -> bytes:
    """One bus message: a JSON line of headers, then all bodies. The gateway forwards bodies unparsed."""
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
