"""One worker is killed while people chat: nothing acked is lost or comes twice, and all see the same."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd
from tests.e2e.placement import worker_of, workers
from tests.faults.history import Kind
from tests.faults.world import chatting, seeded
from tests.waiting import eventually

ACKS_BEFORE = (30, 120)
ACKS_AFTER = 100
REPLACED_S = 15.0


async def replaced(stack: SharedStack, service: str, before: list[int], killed: int) -> None:
    """Waits until as many workers as before are there, and the killed one isn't."""

    async def are_there() -> bool:
        found = workers(await asyncio.to_thread(stack.status), service)
        return len(found) == len(before) and killed not in found

    await eventually(are_there, REPLACED_S)


@pytest.mark.parametrize("service", ["gateway", "chat-api", "presence"])
async def test_a_killed_worker_costs_nobody_a_message(crowd: Crowd, stack: SharedStack, service: str) -> None:
    random = seeded()
    async with chatting(crowd, random) as world:
        before = workers(await asyncio.to_thread(stack.status), service)
        await world.acks(random.randint(*ACKS_BEFORE))
        killed = random.choice(before)
        if service == "gateway":
            # One that holds somebody's socket.
            killed = worker_of(random.choice(world.clients).person.sockets[-1], before)
        os.kill(killed, signal.SIGKILL)
        await replaced(stack, service, before, killed)
        await world.acks(ACKS_AFTER)
        assert await world.rest_and_judge() == []
        await world.everyone_is_online()
        assert world.history.count(Kind.FAIL) == 0
        came_back = sum(client.reconnects for client in world.clients)
        # Sockets end with their gateway, and with nothing else.
        assert (came_back > 0) == (service == "gateway")
