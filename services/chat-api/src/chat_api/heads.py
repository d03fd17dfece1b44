"""Owns telling the gateways every second what changed lately, so that a lost event is noticed.

The last event before silence may be the lost one; only a statement of where things stand shows that.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

import orjson

from messenger_shared import channels
from messenger_shared.bus import Bus

INTERVAL_S: Final = 1.0
REMEMBERED_S: Final = 5.0
MAX_CONVERSATIONS: Final = 100_000


class Heads:
    """What this worker changed in the last REMEMBERED_S seconds."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._positions: dict[str, tuple[int, float]] = {}
        self._joined: dict[int, tuple[int, float]] = {}
        self._task: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()

    async def start(self) -> None:
        """Publishes from now on."""
        self._task = asyncio.create_task(self._run(), name="heads")

    async def stop(self) -> None:
        """Publishes a last time."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._publish()

    def moved(self, conversation_id: str, pos: int) -> None:
        """The conversation's last pos is at least `pos`."""
        known = self._positions.pop(conversation_id, (0, 0.0))[0]
        # At the bound the oldest go first; the gateways' own comparison finds what they miss.
        if len(self._positions) >= MAX_CONVERSATIONS:
            del self._positions[next(iter(self._positions))]
        self._positions[conversation_id] = (max(pos, known), self._loop.time())

    def joined(self, user_id: int) -> None:
        """The user's memberships changed; a number that is new each time tells one change from the next."""
        self._joined.pop(user_id, None)
        if len(self._joined) >= MAX_CONVERSATIONS:
            del self._joined[next(iter(self._joined))]
        self._joined[user_id] = (time.time_ns(), self._loop.time())

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL_S)
            self._publish()

    def _publish(self) -> None:
        oldest = self._loop.time() - REMEMBERED_S
        self._positions = {key: row for key, row in self._positions.items() if row[1] >= oldest}
        self._joined = {key: row for key, row in self._joined.items() if row[1] >= oldest}
        if self._positions or self._joined:
            positions = {key: row[0] for key, row in self._positions.items()}
            body = {"positions": positions, "users": [[key, row[0]] for key, row in self._joined.items()]}
            self._bus.publish(channels.HEADS, orjson.dumps(body))
