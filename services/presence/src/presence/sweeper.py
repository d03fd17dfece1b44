"""Ends expired leases and grace periods, twice a second."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from messenger_shared.contract.errors import AppError
from presence.tracker import Tracker

log = logging.getLogger(__name__)

SWEEP_INTERVAL_S: Final = 0.5


class Sweeper:
    """Sweeps at once and then every `interval_s`. `is_healthy` tells whether the last sweep succeeded."""

    def __init__(self, tracker: Tracker, interval_s: float = SWEEP_INTERVAL_S) -> None:
        self.is_healthy = False
        self._tracker = tracker
        self._interval_s = interval_s
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Starts sweeping."""
        self._task = asyncio.create_task(self._sweep_for_ever(), name="sweeper")

    async def stop(self) -> None:
        """Stops sweeping. Another worker, or a later start, sweeps the rest."""
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
        if self.is_healthy and not healthy:
            log.warning("redis is unavailable")
        self.is_healthy = healthy
