"""Turns a socket's frames into operations, and their answers into frames."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import orjson

from gateway.connections.connection import Connection, error_frame
from gateway.metrics import UNKNOWN_TYPES
from gateway.sockets.command_queue import CommandQueue, OnAnswer, QueuedCommand
from gateway.sockets.presence_commands import SIDE_QUEUE
from gateway.sockets.socket_commands import SocketHandler
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import new_id
from messenger_shared.contract.json_codec import RejectedObject, decode_object, holds_forbidden_text
from messenger_shared.contract.operations import messages, session
from messenger_shared.contract.operations.operation import GATEWAY, Body, Command, Operation
from messenger_shared.contract.operations.table import TABLE
from messenger_shared.contract.schemas.fields import MAX_REF_CHARS
from messenger_shared.rpc.client import AnswerCallback, RpcClient

log = logging.getLogger(__name__)

_BY_TYPE: Final[dict[str, tuple[Operation, Command]]] = {
    type_: (operation, operation.command)
    for operation in TABLE.values()
    if operation.command is not None
    for type_ in operation.command.types
}
# These concern no conversation, so their order doesn't matter: they skip the queue.
_IMMEDIATE: Final = frozenset((session.PING.name, session.AUTH_REFRESH.name))


class Commands:
    """Decodes, checks, dispatches and answers the frames of every socket."""

    def __init__(self, rpc: RpcClient, local_handlers: Mapping[str, SocketHandler]) -> None:
        self._rpc = rpc
        self._local_handlers = local_handlers
        self._loop = asyncio.get_running_loop()

    def queue(self, connection: Connection) -> CommandQueue:
        """A new command queue for one socket."""
        return CommandQueue(self._start_command, connection)

    async def handle(self, connection: Connection, queue: CommandQueue, text: str) -> None:
        """Handles one text frame. Every error is reported to the sender."""
        ref = None
        try:
            fields = decode_object(text)
            ref = _ref(fields)
            found = _BY_TYPE.get(_type(fields))
            if found is None:
                _refuse_unknown(connection, str(fields["type"]), ref)
                return
            operation, command = found
            queued = QueuedCommand(operation, command, operation.load(fields), ref)
        except RejectedObject as error:
            connection.send_error(error, _ref_if_valid(error.fields))
            return
        except AppError as error:
            connection.send_error(error, ref)
            return
        if operation is messages.SEND and (wait_ms := connection.message_limit.take(self._loop.time())):
            connection.send_rate_limited(wait_ms, ref)
        elif operation.name in _IMMEDIATE:
            await self._run_local(connection, queued, connection.reply)
        else:
            await (queue.side_queue() if operation.name in SIDE_QUEUE else queue).put(queued)

    def _start_command(
        self, connection: Connection, queued: QueuedCommand, on_answer: OnAnswer
    ) -> asyncio.Task[None] | None:
        if queued.operation.service == GATEWAY:
            return self._loop.create_task(self._run_local(connection, queued, on_answer))
        try:
            call(self._rpc, queued, connection.user_id, partial(_forward_answer, queued, on_answer))
        except AppError as error:
            on_answer(error_frame(error, queued.ref))
        return None

    async def _run_local(self, connection: Connection, queued: QueuedCommand, on_answer: OnAnswer) -> None:
        """Runs a command that the gateway answers itself."""
        try:
            answer = await self._local_handlers[queued.operation.name](connection, queued.body)
            on_answer(_answer_frame(queued, answer))
        except AppError as error:
            on_answer(error_frame(error, queued.ref))
        except Exception:
            log.exception("%s failed", queued.operation.name)
            on_answer(error_frame(AppError(errors.INTERNAL), queued.ref))


def ask(rpc: RpcClient, operation: Operation, body: Body, user_id: int) -> asyncio.Future[Any]:
    """Asks the operation's service, for REST. Raises, and fails the future, like RpcClient.ask."""
    key = _prepare(operation, body, user_id)
    return rpc.ask(operation.service, operation.name, body, key=key, user_id=user_id)


def call(rpc: RpcClient, queued: QueuedCommand, user_id: int, then: AnswerCallback) -> None:
    """Asks the operation's service, for a socket. Raises like RpcClient.call."""
    operation, body = queued.operation, queued.body
    key = _prepare(operation, body, user_id)
    rpc.call(operation.service, operation.name, body, then, key=key, user_id=user_id)


def _prepare(operation: Operation, body: Body, user_id: int) -> str:
    """Puts the id of a new resource into the body; returns the key that picks the worker."""
    if operation.new_id:
        body[operation.new_id] = new_id()
    return str(body[operation.key]) if operation.key else str(user_id)


def _forward_answer(queued: QueuedCommand, on_answer: OnAnswer, outcome: bytes | AppError) -> None:
    """Sends a service's answer on, without decoding it if it already has the frame's fields."""
    if isinstance(outcome, AppError):
        on_answer(error_frame(outcome, queued.ref))
    elif queued.command.frame is None and queued.command.answers_without_ref:
        on_answer(_frame_head(queued) + outcome[1:])
    else:
        on_answer(_answer_frame(queued, orjson.loads(outcome)))


def _answer_frame(queued: QueuedCommand, answer: Any) -> bytes:
    command = queued.command
    if queued.ref is None and not command.answers_without_ref:
        return b""
    fields = command.frame(queued.body, answer) if command.frame is not None else answer
    return _frame_head(queued) + orjson.dumps(fields)[1:] if fields else _frame_head(queued)[:-1] + b"}"


def _frame_head(queued: QueuedCommand) -> bytes:
    """The beginning of the frame that answers a command, up to its fields."""
    head = b'{"type":"' + queued.command.success.encode() + b'",'
    return head if queued.ref is None else head + b'"ref":' + orjson.dumps(queued.ref) + b","


def ref_in(text: str) -> str | None:
    """The `ref` of a frame that is refused unread; None without a good one."""
    try:
        return _ref_if_valid(decode_object(text))
    except RejectedObject as error:
        return _ref_if_valid(error.fields)
    except AppError:
        return None


def _ref_if_valid(fields: Body) -> str | None:
    """The `ref` of a frame that is refused for another reason; None when the `ref` itself is bad."""
    try:
        ref = _ref(fields)
    except AppError:
        return None
    return None if holds_forbidden_text(ref) else ref


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
    """Doesn't answer without a `ref`: an older client that sends obsolete types must not get errors."""
    UNKNOWN_TYPES.inc()
    log.info("unknown frame type %r", type_[:64])
    if ref is not None:
        connection.send_error(AppError(errors.UNKNOWN_TYPE), ref)
