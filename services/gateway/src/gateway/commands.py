"""Owns the socket door: a frame becomes an operation, its answer a frame, in the socket's order."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from gateway.connection import Connection
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
from messenger_shared.rpc_client import RpcClient

log = logging.getLogger(__name__)

MAX_QUEUED: Final = 256
MAX_GROUP: Final = 100
_BY_TYPE: Final[dict[str, tuple[Operation, Command]]] = {
    type_: (operation, operation.command)
    for operation in TABLE.values()
    if operation.command is not None
    for type_ in operation.command.types
}
# These concern no conversation, so that no order binds them: they wait for nothing.
_IMMEDIATE: Final = frozenset((session.PING.name, session.AUTH_REFRESH.name))


class _Queued(NamedTuple):
    operation: Operation
    command: Command
    body: Body
    ref: str | None


class Lane:
    """One socket's commands, one after the other; messages that wait behind each other go together."""

    __slots__ = ("_aside", "_commands", "_connection", "_queue", "_room", "_runner")

    def __init__(self, commands: Commands, connection: Connection) -> None:
        self._commands = commands
        self._connection = connection
        self._queue: deque[_Queued] = deque()
        self._runner: asyncio.Task[None] | None = None
        self._room: asyncio.Event | None = None
        self._aside: Lane | None = None

    def aside(self) -> Lane:
        """What waits for nothing here, and lets nothing wait; in an order of its own."""
        if self._aside is None:
            self._aside = Lane(self._commands, self._connection)
        return self._aside

    async def put(self, queued: _Queued) -> None:
        """Waits while too much is under way, so that the client's own writes come to wait."""
        while len(self._queue) >= MAX_QUEUED:
            self._room = asyncio.Event()
            await self._room.wait()
        self._queue.append(queued)
        if self._runner is None:
            self._runner = asyncio.create_task(self._run(), name="lane")

    async def stop(self) -> None:
        """Forgets what waits; what chat-api was asked already, it does."""
        if self._aside is not None:
            await self._aside.stop()
        self._queue.clear()
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.gather(self._runner, return_exceptions=True)

    async def _run(self) -> None:
        while self._queue:
            group = self._next_group()
            if self._room is not None:
                self._room.set()
                self._room = None
            if len(group) == 1:
                await self._commands.carry_out(self._connection, group[0])
            else:
                await self._commands.carry_out_together(self._connection, group)
        self._runner = None

    def _next_group(self) -> list[_Queued]:
        group = [self._queue.popleft()]
        name = group[0].operation.name
        while (
            name == messages.SEND.name
            and self._queue
            and self._queue[0].operation.name == name
            and len(group) < MAX_GROUP
        ):
            group.append(self._queue.popleft())
        return group


class Commands:
    """Reads, checks, dispatches and answers the frames of every socket."""

    def __init__(self, rpc: RpcClient, own: Mapping[str, SocketHandler]) -> None:
        self._rpc = rpc
        self._own = own

    def lane(self, connection: Connection) -> Lane:
        """The order of one socket's commands."""
        return Lane(self, connection)

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
            queued = _Queued(operation, command, operation.load(fields), ref)
            if operation is messages.SEND:
                _count_message(connection)
        except AppError as error:
            connection.send_error(error, ref)
            return
        if operation.name in _IMMEDIATE:
            await self.carry_out(connection, queued)
        else:
            await (lane.aside() if operation.name in ASIDE else lane).put(queued)

    async def carry_out(self, connection: Connection, queued: _Queued) -> None:
        """One command and its one answer."""
        operation = queued.operation
        try:
            if operation.service == GATEWAY:
                answer: Any = await self._own[operation.name](connection, queued.body)
            else:
                answer = await self._ask(connection.user_id, queued)
            _answer(connection, queued, answer)
        except AppError as error:
            connection.send_error(error, queued.ref)
        except Exception:
            log.exception("%s failed", operation.name)
            connection.send_error(AppError(errors.INTERNAL), queued.ref)

    async def carry_out_together(self, connection: Connection, group: list[_Queued]) -> None:
        """Several messages: asked in one turn, so that they arrive together and in order."""
        answers: list[asyncio.Future[Any] | AppError] = []
        for queued in group:
            try:
                answers.append(self._ask(connection.user_id, queued))
            except AppError as error:
                answers.append(error)
        for queued, answer in zip(group, answers, strict=True):
            try:
                if isinstance(answer, AppError):
                    raise answer
                _answer(connection, queued, await answer)
            except AppError as error:
                connection.send_error(error, queued.ref)

    def _ask(self, user_id: int, queued: _Queued) -> asyncio.Future[Any]:
        operation, body = queued.operation, queued.body
        return ask(self._rpc, operation, body, user_id)


def ask(rpc: RpcClient, operation: Operation, body: Body, user_id: int) -> asyncio.Future[Any]:
    """Asks the operation's service, from either door. Raises and fails like RpcClient.ask."""
    if operation.new_id:
        body[operation.new_id] = new_id()
    key = str(body[operation.key]) if operation.key else str(user_id)
    return rpc.ask(operation.service, operation.name, body, key=key, user_id=user_id)


def _answer(connection: Connection, queued: _Queued, answer: Any) -> None:
    command, ref = queued.command, queued.ref
    if ref is None and not command.always:
        return
    frame = {"type": command.success, **command.frame(queued.body, answer)}
    if ref is not None:
        frame["ref"] = ref
    connection.send(frame)


def _count_message(connection: Connection) -> None:
    wait_ms = connection.messages.take(asyncio.get_running_loop().time())
    if wait_ms:
        raise AppError(errors.RATE_LIMITED, retry_after_ms=wait_ms)


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
