"""So many sockets come in at a time, so many wait, the others are told when to come back."""

import asyncio

import pytest

from gateway import admission
from gateway.admission import Admission
from messenger_shared.errors import AppError
from tests.waiting import until


class Arrivals:
    """Sockets that hold their place until they are let go."""

    def __init__(self, admission: Admission) -> None:
        self.inside = 0
        self.go = asyncio.Event()
        self._admission = admission

    async def arrive(self) -> None:
        async with self._admission.place():
            self.inside += 1
            await self.go.wait()
            self.inside -= 1


async def test_the_bound_is_held_and_who_waits_comes_in_later() -> None:
    door = Admission(at_once=2, waiting=3)
    arrivals = Arrivals(door)
    tasks = [asyncio.create_task(arrivals.arrive()) for _ in range(5)]
    await until(lambda: arrivals.inside == 2)
    with pytest.raises(AppError, match="unavailable") as refused:
        await arrivals.arrive()
    assert refused.value.retry_after_ms is not None
    assert refused.value.retry_after_ms >= 1_000
    arrivals.go.set()
    await asyncio.wait_for(asyncio.gather(*tasks), 2)
    await asyncio.wait_for(arrivals.arrive(), 2)


async def test_who_waits_too_long_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "PATIENCE_S", 0.01)
    arrivals = Arrivals(Admission(at_once=1, waiting=5))
    first = asyncio.create_task(arrivals.arrive())
    await until(lambda: arrivals.inside == 1)
    with pytest.raises(AppError, match="unavailable"):
        await arrivals.arrive()
    arrivals.go.set()
    await first


async def test_nobody_comes_in_once_it_is_closed() -> None:
    door = Admission(at_once=1, waiting=5)
    arrivals = Arrivals(door)
    first = asyncio.create_task(arrivals.arrive())
    second = asyncio.create_task(arrivals.arrive())
    await until(lambda: arrivals.inside == 1)
    door.close()
    arrivals.go.set()
    await first
    for arrival in (second, asyncio.create_task(arrivals.arrive())):
        with pytest.raises(AppError, match="unavailable"):
            await arrival
