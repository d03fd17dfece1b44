"""Remembers which conversations a consumer has to look at, up to a limit, and when."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from dataclasses import dataclass
from typing import Final

MAX_CONVERSATIONS: Final = 100_000


@dataclass(slots=True)
class _Entry:
    since: float
    # Until then it isn't looked at; 0 if it may be now.
    due: float = 0.0


class Agenda:
    """The conversations to look at, the first come first. What doesn't fit is found by the next sweep."""

    def __init__(self, limit: int = MAX_CONVERSATIONS) -> None:
        self._limit = limit
        self._entries: dict[str, _Entry] = {}
        self._ready: deque[str] = deque()
        self._delayed: list[tuple[float, str]] = []
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def room(self) -> int:
        """How many more conversations fit."""
        return self._limit - len(self._entries)

    @property
    def oldest_s(self) -> float:
        """How long the oldest entry has waited. Entries that are delayed count too."""
        first = min((entry.since for entry in self._entries.values()), default=self._loop.time())
        return self._loop.time() - first

    def add(self, conversation_id: str, waited_s: float = 0.0) -> None:
        """Adds a conversation whose change has waited so long. One that is delayed stays so."""
        if conversation_id not in self._entries and self.room > 0:
            self._entries[conversation_id] = _Entry(self._loop.time() - waited_s)
            self._ready.append(conversation_id)
            self._changed.set()

    def delay(self, conversation_id: str, seconds: float, waited_s: float = 0.0) -> None:
        """Adds a conversation that isn't to be looked at for so long."""
        if conversation_id not in self._entries and self.room > 0:
            due = self._loop.time() + seconds
            self._entries[conversation_id] = _Entry(self._loop.time() - waited_s, due)
            heapq.heappush(self._delayed, (due, conversation_id))
            self._changed.set()

    def take(self, count: int) -> dict[str, float]:
        """Removes up to `count` conversations that may be looked at. For each, how long it has waited."""
        now = self._loop.time()
        while self._delayed and self._delayed[0][0] <= now:
            self._ready.append(heapq.heappop(self._delayed)[1])
        ids = [self._ready.popleft() for _ in range(min(count, len(self._ready)))]
        return {id_: now - self._entries.pop(id_).since for id_ in ids}

    def wake(self) -> None:
        """Ends `wait`."""
        self._changed.set()

    async def wait(self) -> None:
        """Returns when there may be something to take."""
        self._changed.clear()
        if self._ready:
            return
        until = self._delayed[0][0] if self._delayed else None
        try:
            async with asyncio.timeout_at(until):
                await self._changed.wait()
        except TimeoutError:
            return
