"""Owns work that nobody waits for: it is held, its failures are logged, and it ends with its owner."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from messenger_shared.errors import AppError

log = logging.getLogger(__name__)


class Chores:
    """The tasks of one owner."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Begins the work."""
        task = asyncio.create_task(self._logged(work), name=self._name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # What is given up before it begins would complain that nobody ever awaited it.
        task.add_done_callback(lambda _: work.close())

    async def stop(self) -> None:
        """Gives up what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _logged(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except AppError as error:
            log.warning("%s: %s", self._name, error)
        except Exception:
            log.exception("%s failed", self._name)
