"""Tests the sweeper: it goes on whatever happens, and logs when Redis is unavailable."""

from __future__ import annotations

import asyncio

import pytest

from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from presence.sweeper import Sweeper
from presence.tracker import Tracker
from tests.waiting import LIMIT_S


class FailingTracker(Tracker):
    """Fails in the given ways, one after the other, then works."""

    def __init__(self, *failures: Exception) -> None:
        self._failures = list(failures)
        self.sweeper: Sweeper | None = None
        self.health: list[bool] = []
        self.done = asyncio.Event()

    async def sweep(self) -> None:
        assert self.sweeper is not None
        self.health.append(self.sweeper.is_healthy)
        if len(self.health) == 6:
            self.done.set()
        if len(self.health) in (3, 4):
            raise self._failures.pop()


@pytest.mark.parametrize("failure", [AppError(errors.UNAVAILABLE), RuntimeError("a bug")])
async def test_sweeper_survives_failures_and_is_unhealthy_meanwhile(failure: Exception) -> None:
    tracker = FailingTracker(failure, failure)
    sweeper = tracker.sweeper = Sweeper(tracker, interval_s=0.001)
    await sweeper.start()
    async with asyncio.timeout(LIMIT_S):
        await tracker.done.wait()
    await sweeper.stop()
    assert tracker.health[:6] == [False, True, True, False, False, True]
