"""Requests any operation of the table over the socket or REST, and brings the answers into one form."""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from messenger_shared.contract.operations.operation import Operation
from messenger_shared.contract.operations.table import TABLE
from tests.client import Frame, Reply, Socket, User

Fields = dict[str, Any]

# The operations that clients can request.
OPERATIONS = {name: operation for name, operation in TABLE.items() if operation.route or operation.command}
# A user may ask for this only a few times a second.
LIMITED = "search.messages"
FRAME_TYPES = {type_: o for o in OPERATIONS.values() if o.command for type_ in o.command.types}
_STATUSES = {
    "invalid_json": 400,
    "invalid_conversation_id": 400,
    "invalid_frame": 422,
    "message_too_long": 422,
    "query_too_short": 422,
    "bad_emoji": 422,
    "bad_endpoint": 422,
    "unauthorized": 401,
    "forbidden": 403,
    "not_member": 403,
    "mention_all_refused": 403,
    "message_rejected": 422,
    "not_found": 404,
    "file_not_ready": 409,
}


class Outcome(NamedTuple):
    """The outcome: "ok" or the error's code, the fields at fault, and the whole answer."""

    code: str
    invalid_fields: tuple[str, ...]
    answer: Any


def path_of(operation: Operation, fields: Fields) -> tuple[str, Fields]:
    """Returns the path of the client route, and the fields that are not in it."""
    assert operation.route is not None
    return fill(operation.route.path, fields)


def fill(path: str, fields: Fields) -> tuple[str, Fields]:
    """Returns the path with its parameters, and the fields that are not in it."""
    names = re.findall(r"{(\w+)}", path)
    filled = path.format(**{name: quote(str(fields[name]), safe="") for name in names})
    return filled, {name: value for name, value in fields.items() if name not in names}


async def over_rest(user: User, operation: Operation, fields: Fields, **headers: str) -> Outcome:
    """Requests over REST; without a body, the fields that aren't in the path are the query.

    Waits as told if the operation has a limit of its own.
    """
    assert operation.route is not None
    path, others = path_of(operation, fields)
    if operation.has_body:
        return outcome(await user.call(operation.route.method, path, body=others, headers=headers))
    query = f"?{urlencode(others)}" if others else ""
    reply = await user.call(operation.route.method, path + query, headers=headers)
    while operation.name == LIMITED and reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        await asyncio.sleep(int(reply.headers["Retry-After"]))
        reply = await user.call(operation.route.method, path + query, headers=headers)
    return outcome(reply)


async def over_socket(socket: Socket, type_: str, fields: Fields) -> Outcome:
    """Requests over a socket; the outcome leaves out the `ref`."""
    return frame_outcome(await socket.request(type_, **fields))


def outcome(reply: Reply) -> Outcome:
    """Returns the outcome of a reply; a problem must have all the marks of a problem document."""
    # Everything in the answer counts except its date.
    headers = {name.lower(): value for name, value in reply.headers.items() if name.lower() != "date"}
    answer = (reply.status, headers, _in_order(reply.body))
    if reply.status < 300:
        return Outcome("ok", (), answer)
    assert headers["content-type"] == "application/problem+json", reply
    code = reply.body["code"]
    assert (reply.status, reply.body["status"]) == (_STATUSES[code],) * 2, reply
    assert reply.body["retryable"] is False
    return Outcome(code, _invalid_fields(reply.body.get("errors", {})), answer)


def frame_outcome(frame: Frame) -> Outcome:
    """Returns the outcome of a frame."""
    answer = _in_order({name: value for name, value in frame.items() if name != "ref"})
    if frame["type"] != "error":
        return Outcome("ok", (), answer)
    assert frame["retryable"] is False, frame
    assert frame["code"] in _STATUSES, frame
    return Outcome(frame["code"], _invalid_fields(frame.get("details", {})), answer)


def _invalid_fields(details: dict[str, list[str]]) -> tuple[str, ...]:
    assert all(texts and all(isinstance(text, str) for text in texts) for texts in details.values())
    return tuple(details)


def _in_order(document: Any) -> Any:
    """Makes the order of keys part of the comparison."""
    return list(document.items()) if isinstance(document, dict) else document
