"""Runs one socket's commands in order, one at a time; sends that wait next to each other run together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from gateway.connections.connection import Connection
from messenger_shared.contract.operations import messages
from messenger_shared.contract.operations.operation import Body, Command, Operation

MAX_QUEUED: Final = 256
MAX_GROUP: Final = 100


class QueuedCommand(NamedTuple):
    """A command that was decoded and validated."""

    operation: Operation
    command: Command
    body: Body
    ref: str | None


# Takes the answer as the text of a frame, empty when no frame is sent; is called exactly once.
OnAnswer = Callable[[bytes], None]
# Starts a command. Returns its task, whose cancellation ends the command; None if it needs no task.
StartCommand = Callable[[Connection, QueuedCommand, OnAnswer], "asyncio.Task[None] | None"]


class CommandQueue:
    """A queue without a task of its own: the last answer of a group starts the next group."""

    __slots__ = ("_connection", "_has_space", "_queue", "_side_queue", "_start_command", "_task")

    def __init__(self, start_command: StartCommand, connection: Connection) -> None:
        self._start_command = start_command
        self._connection = connection
        # None while nothing is under way: an empty deque has 760 bytes, and most sockets send little.
        self._queue: deque[QueuedCommand] | None = None
        self._task: asyncio.Task[None] | None = None
        self._has_space: asyncio.Event | None = None
        self._side_queue: CommandQueue | None = None

    def side_queue(self) -> CommandQueue:
        """A second queue with its own order. Its commands don't wait for this queue's, nor hold them up."""
        if self._side_queue is None:
            self._side_queue = CommandQueue(self._start_command, self._connection)
        return self._side_queue

    async def put(self, queued: QueuedCommand) -> None:
        """Adds a command. Waits while the queue is full, so that the client's own writes block."""
        while self._queue is not None and len(self._queue) >= MAX_QUEUED:
            self._has_space = asyncio.Event()
            await self._has_space.wait()
        if self._queue is None:
            self._queue = deque()
            self._connection.busy_queues += 1
            # Not at once, so that sends from one packet run together.
            asyncio.get_running_loop().call_soon(self._run_next_group)
        self._queue.append(queued)

    async def stop(self) -> None:
        """Drops the commands that wait. chat-api still carries out what it was already asked."""
        if self._side_queue is not None:
            await self._side_queue.stop()
        if self._queue is not None:
            self._queue.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _run_next_group(self) -> None:
        if not self._queue:
            self._queue = None
            self._connection.mark_queue_idle()
            return
        group = _next_group(self._queue)
        if self._has_space is not None:
            self._has_space.set()
            self._has_space = None
        answers = _OrderedAnswers(self._connection, len(group), self._run_next_group)
        for index, queued in enumerate(group):
            self._task = self._start_command(self._connection, queued, partial(answers.put, index))


def _next_group(queue: deque[QueuedCommand]) -> list[QueuedCommand]:
    group = [queue.popleft()]
    while (
        group[0].operation is messages.SEND
        and queue
        and queue[0].operation is messages.SEND
        and len(group) < MAX_GROUP
    ):
        group.append(queue.popleft())
    return group


class _OrderedAnswers:
    """Sends the answers to commands that were started together, in the order of the commands."""

    __slots__ = ("_answers", "_connection", "_next", "_on_done")

    def __init__(self, connection: Connection, count: int, on_done: Callable[[], None]) -> None:
        self._connection = connection
        self._answers: list[bytes | None] = [None] * count
        self._next = 0
        self._on_done = on_done

    def put(self, index: int, answer: bytes) -> None:
        self._answers[index] = answer
        while self._next < len(self._answers) and (ready := self._answers[self._next]) is not None:
            self._next += 1
            if ready:
                self._connection.reply(ready)
        if self._next == len(self._answers):
            # Not called directly: if commands are refused at once, the recursion is as deep as the queue.
            asyncio.get_running_loop().call_soon(self._on_done)
