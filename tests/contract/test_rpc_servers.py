"""Requests over two Redis servers: what is on one goes on while the other one stands still."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from messenger_shared.bus import channels, redis_bus
from messenger_shared.bus.redis_bus import RedisBus
from messenger_shared.contract.errors import AppError
from messenger_shared.rpc.messages import Request
from tests.contract.callers import World
from tests.faults.injection.redis_server import RedisServer, two_servers
from tests.waiting import eventually, until

SHORT_S = 0.3


@pytest.fixture
async def servers(tmp_path: Path) -> AsyncIterator[list[RedisServer]]:
    async with two_servers(tmp_path) as servers:
        yield servers


async def echo(request: Request) -> Any:
    return request.body


async def test_only_requests_about_what_a_silent_server_has_wait(servers: list[RedisServer]) -> None:
    urls = [server.url for server in servers]
    world = World(lambda worker: RedisBus(urls, worker))
    try:
        for _ in range(2):
            await world.worker(echo)
        caller, bus = await world.caller(), await world.bus()
        keys = {bus.lane(channels.conversation(str(n))): str(n) for n in range(20)}
        one, other = (keys[lane] for lane in bus.lanes)
        numbers = count()

        async def is_answered(key: str) -> bool:
            body = {"n": next(numbers)}
            try:
                return await caller.ask(world.service, "do", body, key=key, deadline_s=SHORT_S) == body
            except AppError:
                return False

        assert await is_answered(one)
        assert await is_answered(other)
        # Keys of hosts are any text.
        assert await is_answered("order@7")
        servers[1].signal(signal.SIGSTOP)
        assert not await is_answered(other)
        assert all([await is_answered(one) for _ in range(20)])
        servers[1].signal(signal.SIGCONT)
        await eventually(lambda: is_answered(other))
        await servers[1].kill()
        assert all([await is_answered(one) for _ in range(20)])
        # Once it is known to be away, the other server carries what is about its conversations.
        await eventually(lambda: is_answered(other))
        assert all([await is_answered(other) for _ in range(20)])
        await servers[1].start()
        await until(lambda: bus.ready)
        await eventually(lambda: is_answered(other))
    finally:
        await world.stop()


async def test_a_bus_starts_without_one_of_its_servers(
    servers: list[RedisServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_bus, "START_TIMEOUT_S", SHORT_S)
    await servers[1].kill()
    world = World(lambda worker: RedisBus([server.url for server in servers], worker))
    try:
        bus = await world.bus()
        assert (bus.connected, bus.ready) == (True, False)
        gaps: list[None] = []
        bus.on_gap(lambda: gaps.append(None))
        heard: list[bytes] = []
        names = [f"conversation:{n}" for n in range(20)]
        await bus.subscribe(names, heard.append)
        await servers[1].start()
        await until(lambda: bus.ready)
        await until(lambda: len(gaps) == 1)
        for name in names:
            bus.publish(name, name.encode())
        await until(lambda: len(heard) == len(names))
    finally:
        await world.stop()


async def test_a_subscription_does_not_wait_for_a_server_that_is_away(servers: list[RedisServer]) -> None:
    world = World(lambda worker: RedisBus([server.url for server in servers], worker))
    try:
        bus = await world.bus()
        names = {bus.lane(name): name for name in (f"conversation:{n}" for n in range(20))}
        one, other = (names[lane] for lane in bus.lanes)
        gaps: list[None] = []
        bus.on_gap(lambda: gaps.append(None))
        await servers[1].kill()
        await until(lambda: not bus.ready)
        heard: list[bytes] = []
        await bus.subscribe([one, other], heard.append)
        bus.publish(one, b"at once")
        await until(lambda: heard == [b"at once"])
        await servers[1].start()
        await until(lambda: bus.ready and gaps)
        bus.publish(other, b"when it is back")
        await until(lambda: heard == [b"at once", b"when it is back"])
        for server in servers:
            await server.kill()
        await until(lambda: not bus.connected)
        with pytest.raises(AppError):
            await bus.subscribe(["conversation:20"], heard.append)
    finally:
        await world.stop()
