"""Owns looking after ended leases and graces, twice a second."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from messenger_shared.errors import AppError
from presence.tracker import Tracker

log = logging.getLogger(__name__)

INTERVAL_S: Final = 0.5


class Sweeper:
    """Sweeps at once and then every `interval_s`; `healthy` as long as the store answers."""

    def __init__(self, tracker: Tracker, interval_s: float = INTERVAL_S) -> None:
        self.healthy = False
        self._tracker = tracker
        self._interval_s = interval_s
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Sweeps from now on."""
        self._task = asyncio.create_task(self._sweep_for_ever(), name="sweeper")

    async def stop(self) -> None:
        """Sweeps no more; what is left over is swept by another worker, or later."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _sweep_for_ever(self) -> None:
        while True:
            try:
                await self._tracker.sweep()
                self._set_healthy(True)
            except AppError:
                self._set_healthy(False)
            except Exception:
                log.exception("sweep failed")
                self._set_healthy(False)
            await asyncio.sleep(self._interval_s)

    def _set_healthy(self, healthy: bool) -> None:
        if self.healthy and not healthy:
            log.warning("the store is away")
        self.healthy = healthy
