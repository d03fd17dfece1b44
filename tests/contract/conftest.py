"""Fixtures of the contract tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from messenger_shared.bus.memory_bus import MemoryBroker, MemoryBus
from messenger_shared.bus.redis_bus import RedisBus
from tests.contract.callers import World


@pytest.fixture(params=["memory", "redis"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "memory":
        broker = MemoryBroker()
        world = World(lambda worker: MemoryBus(broker, worker))
    else:
        url = request.getfixturevalue("valkey_url")
        world = World(lambda worker: RedisBus([url], worker))
    yield world
    await world.stop()
