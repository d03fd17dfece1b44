"""Owns one socket of a device: its commands and their answers, its slot to leave, its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

import orjson

from tests.faults.door import Door
from tests.faults.history import Lane, Seat
from tests.faults.told import Frame, Reader, Told
from tests.faults.wire import Wire

ANSWER_S = 8.0
# Whoever hears nothing for so many heartbeats has lost the server.
SILENT_BEATS = 3


class Unanswered(ConnectionError):
    """No answer came, and none will: the socket is gone."""


class Line:
    """Hands what it is told to `on_told`, and its end to `on_end` unless the device left it."""

    def __init__(
        self,
        seat: Seat,
        number: int,
        reader: Reader,
        on_told: Callable[[Line, Told], None],
        on_end: Callable[[Line, int, str], None],
    ) -> None:
        self.number = number
        self.ended = asyncio.Event()
        self._seat = seat
        self._reader = reader
        self._on_told = on_told
        self._on_end = on_end
        self._wire: Wire | None = None
        self._left = False
        self._heartbeat_s = 25.0
        self._leave_at: float | None = None
        # It ended, or was given a slot to leave.
        self._news = asyncio.Event()
        self._answers: dict[str, tuple[asyncio.Future[Frame], Callable[[Frame], None]]] = {}
        self._refs = count(1)

    @property
    def port(self) -> int:
        """Its own port."""
        return self._wire.port if self._wire is not None else 0

    def lane(self) -> Lane:
        """Where the next command goes."""
        return Lane(self._seat, self.number, next(self._refs))

    async def open(self, door: Door, token: str) -> None:
        """Connects; raises what is in GONE."""
        self._wire = await door.open(self._seat[0], token, self._on_text, self._on_wire_end)

    async def request(
        self, type_: str, on_answer: Callable[[Frame], None] = lambda _: None, **fields: Any
    ) -> Frame:
        """A command and the frame that answers it; raises what is in GONE.

        `on_answer` gets the answer at once, before what comes after it on the socket.
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

    async def last(self) -> bool:
        """Waits for its end; True when it is still open and its slot to leave has come."""
        loop = asyncio.get_running_loop()
        while not self.ended.is_set():
            if self._leave_at is not None and loop.time() >= self._leave_at:
                return True
            if (
                self._wire is not None
                and loop.time() - self._wire.heard_at > SILENT_BEATS * self._heartbeat_s
            ):
                self._wire.abort()
            self._news.clear()
            wait_s = self._heartbeat_s if self._leave_at is None else self._leave_at - loop.time()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), wait_s)
        return False

    def leave(self) -> None:
        """Closes it from this end."""
        self._left = True
        if self._wire is not None:
            self._wire.close()

    def _on_text(self, text: bytes) -> None:
        told = self._reader.read(text)
        if type(told) is Told:
            self._on_told(self, told)
        elif told["type"] == "system":
            self._on_system(told)
        elif (found := self._answers.get(told.get("ref", ""))) is not None:
            answer, on_answer = found
            if not answer.done():
                on_answer(told)
                answer.set_result(told)

    def _on_system(self, frame: Frame) -> None:
        if frame["event"] == "connected":
            self._heartbeat_s = frame["heartbeat_ms"] / 1000
        elif frame["event"] == "draining":
            self._leave_at = asyncio.get_running_loop().time() + frame["reconnect_after_ms"] / 1000
            self._news.set()

    def _on_wire_end(self, code: int, reason: bytes) -> None:
        self.ended.set()
        self._news.set()
        for answer, _ in self._answers.values():
            if not answer.done():
                answer.set_exception(Unanswered(f"the socket ended with {code}"))
        if not self._left:
            self._on_end(self, code, reason.decode(errors="replace"))
