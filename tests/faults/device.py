"""Owns a device: one socket at a time that always comes back, and the log of what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from random import Random
from typing import Any, NamedTuple

from tests.faults.door import GONE, Door
from tests.faults.history import History, Seat
from tests.faults.line import Line, Unanswered
from tests.faults.returning import Returning
from tests.faults.told import Reader, Told

# From here on the ceiling is reached, whatever it is.
_DOUBLINGS = 16
# A client may be told to stay away; one that keeps to the protocol never is.
STAY_AWAY = frozenset((1002, 1003, 1007, 1008, 1009, *range(4500, 5000)))


class Backoff(NamedTuple):
    """Full jitter: anything from nothing to a ceiling that doubles."""

    first_s: float = 0.1
    longest_s: float = 2.0

    def pause(self, random: Random, attempt: int) -> float:
        """How long to wait before the attempt with this number, from 1."""
        return random.uniform(0, min(self.longest_s, self.first_s * 2 ** min(attempt, _DOUBLINGS)))


class Device:
    """One device of one user, who is in `rooms`; `way` is how it catches up when it comes back."""

    def __init__(
        self,
        seat: Seat,
        door: Door,
        rooms: list[str],
        way: str,
        history: History,
        reader: Reader,
        random: Random,
        backoff: Backoff | None = None,
    ) -> None:
        self.seat = seat
        self.door = door
        self.random = random
        self.backoff = backoff or Backoff()
        self.history = history
        self.token = door.token(seat[0])
        self.returning = Returning(self, way, rooms)
        # Of each loss: when it began, and when everything missed was there.
        self.returns: list[tuple[float, float]] = []
        self.line: Line | None = None
        self._reader = reader
        self._sockets = 0
        self._lost_at = self._up_since = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def up(self) -> bool:
        """Whether it is connected and has missed nothing."""
        return self._up_since > 0

    def start(self) -> None:
        """Comes, and comes back from then on."""
        self.run(self._stay())

    async def stop(self) -> None:
        """Leaves."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.line is not None:
            self.line.leave()
        self._lose()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Does something beside, that ends with the device."""
        task = asyncio.create_task(work, name=f"device {self.seat}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def note_spell(self) -> None:
        """Notes that it has been up to date until now."""
        if self._up_since:
            now = self.history.now()
            self.history.spells[self.seat].append((self._up_since, now))
            self._up_since = now

    def open_line(self) -> Line:
        """The socket that it has; raises Unanswered when there is none."""
        if self.line is None:
            raise Unanswered("no socket")
        return self.line

    async def _stay(self) -> None:
        attempt = 0
        while True:
            with suppress(*GONE):
                line = await self._open()
                attempt = 0
                await self.returning.come_back(line)
                self._is_back()
                if await line.last():
                    # Asked to leave: the next one is opened first.
                    continue
            attempt += 1
            await asyncio.sleep(self.backoff.pause(self.random, attempt))

    async def _open(self) -> Line:
        self._sockets += 1
        line = Line(self.seat, self._sockets, self._reader, self._on_told, self._on_end)
        await line.open(self.door, self.token)
        if self.line is not None:
            self.line.leave()
        self._lose()
        self.line = line
        return line

    def _is_back(self) -> None:
        self._up_since = self.history.now()
        self.returns.append((self._lost_at, self._up_since))

    def _lose(self) -> None:
        if self._up_since:
            self.note_spell()
            self._lost_at, self._up_since = self._up_since, 0.0
        self.returning.forget()

    def _on_told(self, line: Line, told: Told) -> None:
        self.history.view(self.seat, told.room).add(self.history.now(), line.number, told)
        if line is self.line:
            self.returning.told(told)

    def _on_end(self, line: Line, code: int, reason: str) -> None:
        self.history.endings[code] += 1
        if code in STAY_AWAY:
            self.history.refused(self.seat[0], f"closed for good: {code} {reason}")
        if line is self.line:
            self.line = None
            self._lose()
