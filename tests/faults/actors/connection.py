"""One socket of a device: its commands and answers, its slot to leave while the server drains, its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

import orjson

from tests.faults.actors.gateway_client import GatewayClient
from tests.faults.actors.wire import Wire
from tests.faults.record.events import Frame, FrameReader, ReceivedEvent, shown_offline
from tests.faults.record.history import CommandPosition, DeviceId

ANSWER_S = 8.0
# A client that hears nothing for so many heartbeats takes the connection for lost.
SILENT_BEATS = 3


class Unanswered(ConnectionError):
    """The socket ended before the answer came."""


class Connection:
    """Calls `on_event` for each event, and `on_end` when the socket ends, unless the device closed it."""

    def __init__(
        self,
        device_id: DeviceId,
        number: int,
        reader: FrameReader,
        on_event: Callable[[Connection, ReceivedEvent], None],
        on_offline: Callable[[set[int]], None],
        on_end: Callable[[Connection, int, str], None],
    ) -> None:
        self.number = number
        self.ended = asyncio.Event()
        self._seat = device_id
        self._reader = reader
        self._on_event = on_event
        self._on_offline = on_offline
        self._on_end = on_end
        self._wire: Wire | None = None
        self._left = False
        self._heartbeat_s = 25.0
        self._leave_at: float | None = None
        # Set when the socket ended, or when the server gave it a slot to leave.
        self._changed = asyncio.Event()
        self._answers: dict[str, tuple[asyncio.Future[Frame], Callable[[Frame], None]]] = {}
        self._refs = count(1)

    @property
    def port(self) -> int:
        """Returns the local port of the connection, 0 without one."""
        return self._wire.port if self._wire is not None else 0

    def position(self) -> CommandPosition:
        """Returns the place of the next command in this socket's order."""
        return CommandPosition(self._seat, self.number, next(self._refs))

    async def open(self, gateway: GatewayClient, token: str) -> None:
        """Connects; raises the exceptions in GONE."""
        self._wire = await gateway.open(self._seat[0], token, self._on_text, self._on_wire_end)

    async def request(
        self, type_: str, on_answer: Callable[[Frame], None] = lambda _: None, **fields: Any
    ) -> Frame:
        """Sends a command and returns the frame that answers it; raises the exceptions in GONE.

        The answer goes to `on_answer` at once, before any later frame of the socket is handled.
        """
        if self._wire is None or self.ended.is_set():
            raise Unanswered("no socket")
        ref = f"{self.number}/{next(self._refs)}"
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._answers[ref] = (answer, on_answer)
        self._wire.send(orjson.dumps({"type": type_, "ref": ref, **fields}))
        try:
            async with asyncio.timeout(ANSWER_S):
                return await answer
        finally:
            del self._answers[ref]

    async def should_leave(self) -> bool:
        """Waits for the end of the socket; returns True if it is still open when its slot to leave comes."""
        loop = asyncio.get_running_loop()
        while not self.ended.is_set():
            if self._leave_at is not None and loop.time() >= self._leave_at:
                return True
            if (
                self._wire is not None
                and loop.time() - self._wire.heard_at > SILENT_BEATS * self._heartbeat_s
            ):
                self._wire.abort()
            self._changed.clear()
            wait_s = self._heartbeat_s if self._leave_at is None else self._leave_at - loop.time()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), wait_s)
        return False

    def leave(self) -> None:
        """Closes the socket from this end."""
        self._left = True
        if self._wire is not None:
            self._wire.close()

    def _on_text(self, text: bytes) -> None:
        received = self._reader.read(text)
        if type(received) is ReceivedEvent:
            self._on_event(self, received)
        elif received["type"] == "system":
            self._on_system(received)
        elif (found := self._answers.get(received.get("ref", ""))) is not None:
            answer, on_answer = found
            if not answer.done():
                on_answer(received)
                answer.set_result(received)
        else:
            self._on_offline(shown_offline(received))

    def _on_system(self, frame: Frame) -> None:
        if frame["event"] == "connected":
            self._heartbeat_s = frame["heartbeat_ms"] / 1000
        elif frame["event"] == "draining":
            self._leave_at = asyncio.get_running_loop().time() + frame["reconnect_after_ms"] / 1000
            self._changed.set()

    def _on_wire_end(self, code: int, reason: bytes) -> None:
        self.ended.set()
        self._changed.set()
        for answer, _ in self._answers.values():
            if not answer.done():
                answer.set_exception(Unanswered(f"the socket ended with {code}"))
        if not self._left:
            self._on_end(self, code, reason.decode(errors="replace"))
