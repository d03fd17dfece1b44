"""Owns the tests of noting who is there: by one of all workers, and without the invisible."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

import pytest

from messenger_shared import errors
from messenger_shared.errors import AppError
from presence.last_seen import LastSeen
from presence.noting import Noting
from presence.ports import Choice
from tests.presence.stores import TIMING, MemoryBench, full, settle
from tests.waiting import until


class Notebook(LastSeen):
    """Remembers what it is to note; fails as long as `failures` lasts."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.noted: list[tuple[set[int], int]] = []

    async def note(self, user_ids: Collection[int], seen_ms: int) -> None:
        if self.failures:
            raise self.failures.pop()
        self.noted.append((set(user_ids), seen_ms))


@pytest.fixture
async def bench() -> MemoryBench:
    bench = MemoryBench()
    await settle(bench, Choice(3, 1, True, False))
    await bench.store.report(full("a", 1, 1, 3, away=(2,)))
    return bench


async def test_all_are_noted_who_are_there_and_want_to_be_seen(bench: MemoryBench) -> None:
    notebook = Notebook()
    await Noting(bench.store, notebook).note_all()
    # As of a moment that somebody vouches for: who vanishes now is said to have been there later than that.
    assert notebook.noted == [({1, 2}, bench.memory.now_ms - TIMING.lease_ms)]


async def test_of_several_workers_one_notes_in_each_period(bench: MemoryBench) -> None:
    notebooks = [Notebook(), Notebook()]
    workers = [Noting(bench.store, notebook, period_ms=10) for notebook in notebooks]
    for worker in workers:
        await worker.start()
    await until(lambda: any(notebook.noted for notebook in notebooks))
    await asyncio.sleep(0.05)
    assert sum(len(notebook.noted) for notebook in notebooks) == 1
    await bench.pass_time(10)
    await until(lambda: sum(len(notebook.noted) for notebook in notebooks) == 2)
    for worker in workers:
        await worker.stop()


@pytest.mark.parametrize("failure", [AppError(errors.UNAVAILABLE), RuntimeError("a bug")])
async def test_noting_goes_on_after_a_failure(bench: MemoryBench, failure: Exception) -> None:
    notebook = Notebook(failure)
    noting: Any = Noting(bench.store, notebook, period_ms=1)
    await noting.start()
    await until(lambda: not notebook.failures)
    await bench.pass_time(1)
    await until(lambda: notebook.noted)
    await noting.stop()
