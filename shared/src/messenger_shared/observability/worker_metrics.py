"""Measures a worker's own health twice a second: loop lag, number of tasks, readiness checks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from itertools import count
from typing import Final

from messenger_shared.observability.metrics import LOOP_LAG, READY, TASKS

UPDATE_INTERVAL_S: Final = 0.5
# Tasks are counted every tenth time only: listing ten thousand takes some milliseconds.
TASKS_EVERY: Final = 10


class WorkerMetrics:
    """Updates the metrics every UPDATE_INTERVAL_S."""

    def __init__(self, checks: Mapping[str, Callable[[], bool]]) -> None:
        self._checks = checks
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Starts measuring."""
        self._task = asyncio.create_task(self._run(), name="worker metrics")

    async def stop(self) -> None:
        """Stops measuring."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        for iteration in count():
            if iteration % TASKS_EVERY == 0:
                TASKS.set(len(asyncio.all_tasks()))
            for name, check in self._checks.items():
                READY.labels(name).set(check())
            due = loop.time() + UPDATE_INTERVAL_S
            await asyncio.sleep(UPDATE_INTERVAL_S)
            LOOP_LAG.observe(max(0.0, loop.time() - due))
