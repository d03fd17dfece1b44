"""Searches share a worker: few run at once, few wait, and their checks leave time to others."""

from __future__ import annotations

import asyncio
import contextlib
from types import SimpleNamespace

import pytest

from chat_api.search.walks import turns
from chat_api.search.walks.turns import RUNNING_MAX, WAITING_MAX, Turns
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError


class World:
    """Searches that run until they may end. The clock stands still but for `sleep`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []
        self.turns = Turns()
        self.running = 0
        self.may_end = asyncio.Event()
        monkeypatch.setattr(turns, "time", SimpleNamespace(monotonic=lambda: self.now))

    async def search(self) -> None:
        async with self.turns.admitted():
            self.running += 1
            await self.may_end.wait()
            self.running -= 1


async def settled() -> None:
    """Lets all tasks come as far as they can."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


async def test_few_run_at_once_some_wait_and_more_are_refused(world: World) -> None:
    tasks = [asyncio.create_task(world.search()) for _ in range(RUNNING_MAX + WAITING_MAX)]
    await settled()
    assert world.running == RUNNING_MAX
    with pytest.raises(AppError) as refusal:
        await world.search()
    assert refusal.value.kind is errors.OVERLOADED
    assert refusal.value.retry_after_ms
    world.may_end.set()
    await asyncio.gather(*tasks)
    await world.search()


async def test_who_has_waited_for_long_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "WAIT_S", 0.01)
    tasks = [asyncio.create_task(world.search()) for _ in range(RUNNING_MAX)]
    await settled()
    with pytest.raises(AppError) as refusal:
        await world.search()
    assert refusal.value.kind is errors.OVERLOADED
    world.may_end.set()
    await asyncio.gather(*tasks)


async def test_checks_take_a_third_of_the_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = world.now

    async def sleep(seconds: float) -> None:
        world.now += seconds

    monkeypatch.setattr(turns.asyncio, "sleep", sleep)
    for _ in range(100):
        with world.turns.slice():
            world.now += 0.002
        await world.turns.rest()
    assert 0.2 / (world.now - begun) == pytest.approx(1 / 3, abs=0.02)


async def test_a_little_work_needs_no_pause(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def sleep(seconds: float) -> None:
        world.slept.append(seconds)

    monkeypatch.setattr(turns.asyncio, "sleep", sleep)
    for _ in range(3):
        with world.turns.slice() as slice_:
            assert not slice_.is_over
            world.now += 0.002
            assert slice_.is_over
        await world.turns.rest()
    assert world.slept == [0.0] * 3


async def test_a_search_that_fails_gives_its_place_back(world: World) -> None:
    for _ in range(RUNNING_MAX + 1):
        with contextlib.suppress(ZeroDivisionError):
            async with world.turns.admitted():
                raise ZeroDivisionError
    world.may_end.set()
    await asyncio.wait_for(world.search(), 1)
