"""Runs tasks that nobody awaits: keeps them referenced, logs their failures, cancels them on stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from messenger_shared.contract.errors import AppError

log = logging.getLogger(__name__)


class BackgroundTasks:
    """The background tasks of one owner, which must call `stop`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Starts `work` as a task. Its exceptions are logged."""
        task = asyncio.create_task(self._run_logged(work), name=self._name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # A coroutine that is cancelled before it starts would warn that it was never awaited.
        task.add_done_callback(lambda _: work.close())

    async def stop(self) -> None:
        """Cancels all running tasks and waits for their end."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run_logged(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except AppError as error:
            log.warning("%s: %s", self._name, error)
        except Exception:
            log.exception("%s failed", self._name)
