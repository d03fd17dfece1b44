"""Owns counting the holes that the gateways repaired, from their /metrics."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress

import aiohttp

from tests.faults.stage import Stage

EVERY_S = 3.0
_LIMIT_S = 2.0
_COUNT = re.compile(r"^messenger_holes_repaired_total (\S+)$", re.MULTILINE)


class Holes:
    """All that were counted; what was counted between a look and the end of all workers is not known."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._before = 0.0
        self._last = 0.0

    @property
    def total(self) -> float:
        """Over the whole run so far."""
        return self._before + self._last

    async def watch(self) -> None:
        """Looks now and then, for ever."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Any worker answers for all, also for those that have ended, unless all have."""
        with suppress(OSError, TimeoutError, aiohttp.ClientError):
            async with asyncio.timeout(_LIMIT_S), self._stage.http.get(self._url) as answer:
                if found := _COUNT.search(await answer.text()):
                    count = float(found[1])
                    if count < self._last:
                        self._before += self._last
                    self._last = count

    @property
    def _url(self) -> str:
        return f"http://{self._stage.door.host}:{self._stage.door.port}/metrics"
