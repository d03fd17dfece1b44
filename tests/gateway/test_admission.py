"""Admission: a bounded number of sockets open at a time, so many wait, the others are told when to retry."""

import asyncio

import pytest

from gateway.sockets import admission
from gateway.sockets.admission import Admission
from messenger_shared.contract.errors import AppError
from tests.waiting import LIMIT_S, until


class Arrivals:
    """Sockets that keep their slot until they are released."""

    def __init__(self, admission: Admission) -> None:
        self.inside = 0
        self.go = asyncio.Event()
        self._admission = admission

    async def arrive(self) -> None:
        async with self._admission.slot():
            self.inside += 1
            await self.go.wait()
            self.inside -= 1


async def test_sockets_above_the_bound_wait_and_the_rest_are_refused() -> None:
    door = Admission(max_opening=2, max_waiting=3)
    arrivals = Arrivals(door)
    tasks = [asyncio.create_task(arrivals.arrive()) for _ in range(5)]
    await until(lambda: arrivals.inside == 2)
    with pytest.raises(AppError, match="unavailable") as refused:
        await arrivals.arrive()
    assert refused.value.retry_after_ms is not None
    assert refused.value.retry_after_ms >= 1_000
    arrivals.go.set()
    await asyncio.wait_for(asyncio.gather(*tasks), LIMIT_S)
    await asyncio.wait_for(arrivals.arrive(), LIMIT_S)


async def test_a_socket_that_waits_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "MAX_WAIT_S", 0.01)
    arrivals = Arrivals(Admission(max_opening=1, max_waiting=5))
    first = asyncio.create_task(arrivals.arrive())
    await until(lambda: arrivals.inside == 1)
    with pytest.raises(AppError, match="unavailable"):
        await arrivals.arrive()
    arrivals.go.set()
    await first


async def test_every_socket_is_refused_after_close() -> None:
    door = Admission(max_opening=1, max_waiting=5)
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
