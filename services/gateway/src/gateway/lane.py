"""Owns the order of one socket's commands: one after the other, messages that wait together go together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from gateway.connection import Connection
from messenger_shared.operations import messages
from messenger_shared.operations.operation import Body, Command, Operation

MAX_QUEUED: Final = 256
MAX_GROUP: Final = 100


class Queued(NamedTuple):
    """A command that was found good."""

    operation: Operation
    command: Command
    body: Body
    ref: str | None


# Gets the answer as the text of a frame, "" when there is nothing to say; is called exactly once.
Answered = Callable[[bytes], None]
# Begins to carry out a command, and ends when it is called off by the task's cancellation, if it needs one.
Begin = Callable[[Connection, Queued, Answered], "asyncio.Task[None] | None"]


class Lane:
    """A queue without a task of its own: what is answered begins what is next."""

    __slots__ = ("_aside", "_begin", "_connection", "_queue", "_room", "_task")

    def __init__(self, begin: Begin, connection: Connection) -> None:
        self._begin = begin
        self._connection = connection
        # None while nothing is under way: an empty one has 760 bytes, and most sockets say little.
        self._queue: deque[Queued] | None = None
        self._task: asyncio.Task[None] | None = None
        self._room: asyncio.Event | None = None
        self._aside: Lane | None = None

    def aside(self) -> Lane:
        """What waits for nothing here, and lets nothing wait; in an order of its own."""
        if self._aside is None:
            self._aside = Lane(self._begin, self._connection)
        return self._aside

    async def put(self, queued: Queued) -> None:
        """Waits while too much is under way, so that the client's own writes come to wait."""
        while self._queue is not None and len(self._queue) >= MAX_QUEUED:
            self._room = asyncio.Event()
            await self._room.wait()
        if self._queue is None:
            self._queue = deque()
            self._connection.busy += 1
            # In a moment: what came in one packet goes together.
            asyncio.get_running_loop().call_soon(self._go_on)
        self._queue.append(queued)

    async def stop(self) -> None:
        """Forgets what waits; what chat-api was asked already, it does."""
        if self._aside is not None:
            await self._aside.stop()
        if self._queue is not None:
            self._queue.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _go_on(self) -> None:
        if not self._queue:
            self._queue = None
            self._connection.rest()
            return
        group = _next_group(self._queue)
        if self._room is not None:
            self._room.set()
            self._room = None
        answers = _Answers(self._connection, len(group), self._go_on)
        for place, queued in enumerate(group):
            self._task = self._begin(self._connection, queued, partial(answers.put, place))


def _next_group(queue: deque[Queued]) -> list[Queued]:
    group = [queue.popleft()]
    while (
        group[0].operation is messages.SEND
        and queue
        and queue[0].operation is messages.SEND
        and len(group) < MAX_GROUP
    ):
        group.append(queue.popleft())
    return group


class _Answers:
    """The answers to commands that were begun together, which go out in the order of the commands."""

    __slots__ = ("_connection", "_found", "_next", "_then")

    def __init__(self, connection: Connection, number: int, then: Callable[[], None]) -> None:
        self._connection = connection
        self._found: list[bytes | None] = [None] * number
        self._next = 0
        self._then = then

    def put(self, place: int, answer: bytes) -> None:
        self._found[place] = answer
        while self._next < len(self._found) and (ready := self._found[self._next]) is not None:
            self._next += 1
            if ready:
                self._connection.reply(ready)
        if self._next == len(self._found):
            # Not from here: commands that are refused at once would nest as deep as the queue is long.
            asyncio.get_running_loop().call_soon(self._then)
