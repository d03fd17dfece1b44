"""Owns what a worker notices of itself: how late its loop is, how many tasks run, what it needs and has."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from itertools import count
from typing import Final

from messenger_shared.metrics import LOOP_LAG, READY, TASKS

BEAT_S: Final = 0.5
# Going through ten thousand tasks takes some milliseconds.
TASKS_EVERY: Final = 10


class Vitals:
    """Looks twice a second."""

    def __init__(self, checks: Mapping[str, Callable[[], bool]]) -> None:
        self._checks = checks
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Looks from now on."""
        self._task = asyncio.create_task(self._run(), name="vitals")

    async def stop(self) -> None:
        """Looks no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        for beat in count():
            if beat % TASKS_EVERY == 0:
                TASKS.set(len(asyncio.all_tasks()))
            for name, check in self._checks.items():
                READY.labels(name).set(check())
            due = loop.time() + BEAT_S
            await asyncio.sleep(BEAT_S)
            LOOP_LAG.observe(max(0.0, loop.time() - due))
