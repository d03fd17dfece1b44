"""Keeps what belongs together in the order of its arrival, while each takes its own time."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable


class Turn:
    """A place in a row."""

    def __init__(self, before: asyncio.Future[None] | None) -> None:
        self._before = before
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def comes(self) -> None:
        """Returns when all before have ended their turns."""
        if self._before is not None:
            # Not awaited itself: its cancellation would be that of the others too.
            await asyncio.wait([self._before])

    def end(self) -> None:
        """Lets the next one come, when all before have ended too."""
        if self._before is None or self._before.done():
            self.ended.set_result(None)
        else:
            self._before.add_done_callback(lambda _: self.ended.set_result(None))


class Turns:
    """Rows by a key."""

    def __init__(self) -> None:
        self._last: dict[Hashable, Turn] = {}

    def take(self, key: Hashable) -> Turn:
        """The next place in the row of this key. It must be ended."""
        last = self._last.get(key)
        turn = self._last[key] = Turn(last.ended if last is not None else None)
        turn.ended.add_done_callback(lambda _: self._forget(key, turn))
        return turn

    def _forget(self, key: Hashable, turn: Turn) -> None:
        if self._last.get(key) is turn:
            del self._last[key]
