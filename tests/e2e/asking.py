"""Owns asking for any operation of the table over either door, and what came of it in one form."""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from messenger_shared.operations.operation import Operation
from messenger_shared.operations.table import TABLE
from tests.client import Frame, Person, Reply, Socket

Fields = dict[str, Any]

# What clients can ask for at all.
OPERATIONS = {name: operation for name, operation in TABLE.items() if operation.route or operation.command}
FRAME_TYPES = {type_: o for o in OPERATIONS.values() if o.command for type_ in o.command.types}
_STATUSES = {
    "invalid_json": 400,
    "invalid_conversation_id": 400,
    "invalid_frame": 422,
    "message_too_long": 422,
    "unauthorized": 401,
    "forbidden": 403,
    "not_member": 403,
    "not_found": 404,
}


class Outcome(NamedTuple):
    """What came of it: "ok" or the error's code, the fields that are at fault, and all that was said."""

    code: str
    faults: tuple[str, ...]
    said: Any


def path_of(operation: Operation, fields: Fields) -> tuple[str, Fields]:
    """The path, and the fields that are not in it."""
    assert operation.route is not None
    names = re.findall(r"{(\w+)}", operation.route.path)
    path = operation.route.path.format(**{name: quote(str(fields[name]), safe="") for name in names})
    return path, {name: value for name, value in fields.items() if name not in names}


async def over_rest(person: Person, operation: Operation, fields: Fields, **headers: str) -> Outcome:
    """Asks over REST; where there is no body, what isn't in the path is the query."""
    assert operation.route is not None
    path, others = path_of(operation, fields)
    if operation.has_body:
        return outcome(await person.call(operation.route.method, path, body=others, headers=headers))
    query = f"?{urlencode(others)}" if others else ""
    return outcome(await person.call(operation.route.method, path + query, headers=headers))


async def over_socket(socket: Socket, type_: str, fields: Fields) -> Outcome:
    """Asks over a socket; what was said leaves out the `ref`."""
    return frame_outcome(await socket.request(type_, **fields))


def outcome(reply: Reply) -> Outcome:
    """The outcome in a reply; a problem has to be one by all its marks."""
    # Its moment aside, all of the answer counts.
    headers = {name.lower(): value for name, value in reply.headers.items() if name.lower() != "date"}
    said = (reply.status, headers, _in_order(reply.body))
    if reply.status < 300:
        return Outcome("ok", (), said)
    assert headers["content-type"] == "application/problem+json", reply
    code = reply.body["code"]
    assert (reply.status, reply.body["status"]) == (_STATUSES[code],) * 2, reply
    assert reply.body["retryable"] is False
    return Outcome(code, _faults(reply.body.get("errors", {})), said)


def frame_outcome(frame: Frame) -> Outcome:
    """The outcome in a frame."""
    said = _in_order({name: value for name, value in frame.items() if name != "ref"})
    if frame["type"] != "error":
        return Outcome("ok", (), said)
    assert frame["retryable"] is False, frame
    assert frame["code"] in _STATUSES, frame
    return Outcome(frame["code"], _faults(frame.get("details", {})), said)


def _faults(details: dict[str, list[str]]) -> tuple[str, ...]:
    assert all(texts and all(isinstance(text, str) for text in texts) for texts in details.values())
    return tuple(details)


def _in_order(document: Any) -> Any:
    """With the order of its keys, which is a difference too."""
    return list(document.items()) if isinstance(document, dict) else document
