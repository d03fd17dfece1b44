"""Tests the online checkpoint: one of all workers writes it, and leaves out the invisible."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

import pytest

from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from presence.last_seen import LastSeen
from presence.online_checkpoint import OnlineCheckpoint
from presence.ports import Choice
from tests.presence.stores import TIMING, MemoryHarness, full, settle
from tests.waiting import until


class RecordingLastSeen(LastSeen):
    """Remembers what it should write; fails `failures` times."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.written: list[tuple[set[int], int]] = []

    async def write(self, user_ids: Collection[int], seen_ms: int) -> None:
        if self.failures:
            raise self.failures.pop()
        self.written.append((set(user_ids), seen_ms))


@pytest.fixture
async def harness() -> MemoryHarness:
    harness = MemoryHarness()
    await settle(harness, Choice(3, 1, True, False))
    await harness.store.report(full("a", 1, 1, 3, away=(2,)))
    return harness


async def test_all_are_noted_who_are_there_and_want_to_be_seen(harness: MemoryHarness) -> None:
    last_seen = RecordingLastSeen()
    await OnlineCheckpoint(harness.store, last_seen).write_all()
    # The stored time is when a lease surely held: a user who vanishes now was seen at least that late.
    assert last_seen.written == [({1, 2}, harness.memory.now_ms - TIMING.lease_ms)]


async def test_of_several_workers_one_notes_in_each_period(harness: MemoryHarness) -> None:
    all_last_seen = [RecordingLastSeen(), RecordingLastSeen()]
    workers = [OnlineCheckpoint(harness.store, last_seen, period_ms=10) for last_seen in all_last_seen]
    for worker in workers:
        await worker.start()
    await until(lambda: any(last_seen.written for last_seen in all_last_seen))
    await asyncio.sleep(0.05)
    assert sum(len(last_seen.written) for last_seen in all_last_seen) == 1
    await harness.pass_time(10)
    await until(lambda: sum(len(last_seen.written) for last_seen in all_last_seen) == 2)
    for worker in workers:
        await worker.stop()


@pytest.mark.parametrize("failure", [AppError(errors.UNAVAILABLE), RuntimeError("a bug")])
async def test_noting_goes_on_after_a_failure(harness: MemoryHarness, failure: Exception) -> None:
    last_seen = RecordingLastSeen(failure)
    checkpoint: Any = OnlineCheckpoint(harness.store, last_seen, period_ms=1)
    await checkpoint.start()
    await until(lambda: not last_seen.failures)
    await harness.pass_time(1)
    await until(lambda: last_seen.written)
    await checkpoint.stop()
