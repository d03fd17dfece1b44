"""Owns the socket door: a frame becomes an operation, and its answer a frame."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import orjson

from gateway.connection import Connection, error_frame
from gateway.lane import Answered, Lane, Queued
from gateway.metrics import UNKNOWN_TYPES
from gateway.presence import ASIDE
from gateway.session import SocketHandler
from messenger_shared import errors
from messenger_shared.errors import AppError
from messenger_shared.identifiers import new_id
from messenger_shared.json_codec import decode_object
from messenger_shared.operations import messages, session
from messenger_shared.operations.fields import MAX_REF_CHARS
from messenger_shared.operations.operation import GATEWAY, Body, Command, Operation
from messenger_shared.operations.table import TABLE
from messenger_shared.rpc_client import RpcClient, Then

log = logging.getLogger(__name__)

_BY_TYPE: Final[dict[str, tuple[Operation, Command]]] = {
    type_: (operation, operation.command)
    for operation in TABLE.values()
    if operation.command is not None
    for type_ in operation.command.types
}
# These concern no conversation, so that no order binds them: they wait for nothing.
_IMMEDIATE: Final = frozenset((session.PING.name, session.AUTH_REFRESH.name))


class Commands:
    """Reads, checks, dispatches and answers the frames of every socket."""

    def __init__(self, rpc: RpcClient, own: Mapping[str, SocketHandler]) -> None:
        self._rpc = rpc
        self._own = own
        self._loop = asyncio.get_running_loop()

    def lane(self, connection: Connection) -> Lane:
        """The order of one socket's commands."""
        return Lane(self._begin, connection)

    async def handle(self, connection: Connection, lane: Lane, text: str) -> None:
        """One text frame. Whatever is wrong with it is told to its sender."""
        ref = None
        try:
            fields = decode_object(text)
            ref = _ref(fields)
            found = _BY_TYPE.get(_type(fields))
            if found is None:
                _refuse_unknown(connection, str(fields["type"]), ref)
                return
            operation, command = found
            queued = Queued(operation, command, operation.load(fields), ref)
        except AppError as error:
            connection.send_error(error, ref)
            return
        if operation is messages.SEND and (wait_ms := connection.messages.take(self._loop.time())):
            connection.refuse(wait_ms, ref)
        elif operation.name in _IMMEDIATE:
            await self._carry_out(connection, queued, connection.reply)
        else:
            await (lane.aside() if operation.name in ASIDE else lane).put(queued)

    def _begin(self, connection: Connection, queued: Queued, answered: Answered) -> asyncio.Task[None] | None:
        if queued.operation.service == GATEWAY:
            return self._loop.create_task(self._carry_out(connection, queued, answered))
        try:
            call(self._rpc, queued, connection.user_id, partial(_pass_on, queued, answered))
        except AppError as error:
            answered(error_frame(error, queued.ref))
        return None

    async def _carry_out(self, connection: Connection, queued: Queued, answered: Answered) -> None:
        """A command of the gateway's own."""
        try:
            answer = await self._own[queued.operation.name](connection, queued.body)
            answered(_frame(queued, answer))
        except AppError as error:
            answered(error_frame(error, queued.ref))
        except Exception:
            log.exception("%s failed", queued.operation.name)
            answered(error_frame(AppError(errors.INTERNAL), queued.ref))


def ask(rpc: RpcClient, operation: Operation, body: Body, user_id: int) -> asyncio.Future[Any]:
    """Asks the operation's service, for REST. Raises and fails like RpcClient.ask."""
    key = _prepare(operation, body, user_id)
    return rpc.ask(operation.service, operation.name, body, key=key, user_id=user_id)


def call(rpc: RpcClient, queued: Queued, user_id: int, then: Then) -> None:
    """Asks the operation's service, for a socket. Raises like RpcClient.call."""
    operation, body = queued.operation, queued.body
    key = _prepare(operation, body, user_id)
    rpc.call(operation.service, operation.name, body, then, key=key, user_id=user_id)


def _prepare(operation: Operation, body: Body, user_id: int) -> str:
    """Gives what is to be made its id, and tells what picks the worker."""
    if operation.new_id:
        body[operation.new_id] = new_id()
    return str(body[operation.key]) if operation.key else str(user_id)


def _pass_on(queued: Queued, answered: Answered, outcome: bytes | AppError) -> None:
    """A service's answer, as it came if it has the fields of the frame already."""
    if isinstance(outcome, AppError):
        answered(error_frame(outcome, queued.ref))
    elif queued.command.frame is None and queued.command.always:
        answered(_head(queued) + outcome[1:])
    else:
        answered(_frame(queued, orjson.loads(outcome)))


def _frame(queued: Queued, answer: Any) -> bytes:
    command = queued.command
    if queued.ref is None and not command.always:
        return b""
    fields = command.frame(queued.body, answer) if command.frame is not None else answer
    return _head(queued) + orjson.dumps(fields)[1:] if fields else _head(queued)[:-1] + b"}"


def _head(queued: Queued) -> bytes:
    """The beginning of the frame that answers a command; the fields follow."""
    head = b'{"type":"' + queued.command.success.encode() + b'",'
    return head if queued.ref is None else head + b'"ref":' + orjson.dumps(queued.ref) + b","


def ref_in(text: str) -> str | None:
    """The `ref` of a frame that is not looked at any further."""
    try:
        return _ref(decode_object(text))
    except AppError:
        return None


def _ref(fields: Body) -> str | None:
    ref = fields.get("ref")
    if ref is None and "ref" not in fields:
        return None
    if not isinstance(ref, str) or not 1 <= len(ref) <= MAX_REF_CHARS:
        text = f"Must be a string of 1 to {MAX_REF_CHARS} characters."
        raise AppError(errors.INVALID_FRAME, details={"ref": [text]})
    return ref


def _type(fields: Body) -> str:
    type_ = fields.get("type")
    if not isinstance(type_, str):
        raise AppError(errors.INVALID_FRAME, details={"type": ["Missing or not a string."]})
    return type_


def _refuse_unknown(connection: Connection, type_: str, ref: str | None) -> None:
    """Silent without a `ref`: an older client's habit that newer servers don't share must not disturb it."""
    UNKNOWN_TYPES.inc()
    log.info("unknown frame type %r", type_[:64])
    if ref is not None:
        connection.send_error(AppError(errors.UNKNOWN_TYPE), ref)
