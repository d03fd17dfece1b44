"""Counts the holes that the gateways repaired, from their /metrics."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress

import aiohttp

from tests.faults.injection.deployment import Deployment

EVERY_S = 3.0
_LIMIT_S = 2.0
_COUNT = re.compile(r"^messenger_holes_repaired_total (\S+)$", re.MULTILINE)


class HoleCounter:
    """All counted holes, but for those counted between the last look and the end of all workers."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._before = 0.0
        self._last = 0.0

    @property
    def total(self) -> float:
        """Returns the number over the whole run so far."""
        return self._before + self._last

    async def watch(self) -> None:
        """Reads the metrics every now and then until it is cancelled."""
        while True:
            await self.read_count()
            await asyncio.sleep(EVERY_S)

    async def read_count(self) -> None:
        """Reads the metrics once. Any worker answers for all, ended ones included, unless all have ended."""
        with suppress(OSError, TimeoutError, aiohttp.ClientError):
            async with asyncio.timeout(_LIMIT_S), self._deployment.http.get(self._url) as answer:
                if found := _COUNT.search(await answer.text()):
                    count = float(found[1])
                    if count < self._last:
                        self._before += self._last
                    self._last = count

    @property
    def _url(self) -> str:
        return f"http://{self._deployment.direct.host}:{self._deployment.direct.port}/metrics"
