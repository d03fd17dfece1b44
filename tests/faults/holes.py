"""Owns counting the holes that the gateways repaired: of each worker, from its /metrics, until it ends."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tests.e2e.placement import holder_of
from tests.faults.stage import Stage

EVERY_S = 3.0
_TRIES = 6
_LIMIT_S = 2.0
_NAME = b"\nmessenger_holes_repaired_total "
# What comes after the count in its family.
_LAST = b"messenger_holes_repaired_created"


class Holes:
    """The last count of each worker that there was; what it counted after that is not known."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._counts: dict[int, float] = {}

    @property
    def total(self) -> float:
        """Of all workers."""
        return sum(self._counts.values())

    async def watch(self) -> None:
        """Looks now and then, for ever."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Asks until every worker has probably answered: they share one port."""
        for _ in range(_TRIES):
            # A worker may be gone in the middle of it.
            with suppress(OSError, EOFError, TimeoutError, AssertionError, ValueError):
                async with asyncio.timeout(_LIMIT_S):
                    await self._ask()

    async def _ask(self) -> None:
        door = self._stage.door
        reader, writer = await asyncio.open_connection(door.host, door.port)
        try:
            writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            text = await reader.readuntil(_LAST)
            # While it is open it can be seen whose it is.
            ours = writer.get_extra_info("sockname")[1]
            pid = holder_of((ours, door.port), self._stage.pids("gateway"))
            self._counts[pid] = float(text.partition(_NAME)[2].partition(b"\n")[0])
        finally:
            writer.close()
