"""The bus over Redis when its connections are cut or fall silent."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from messenger_shared.bus import redis_bus, redis_connection
from messenger_shared.bus.redis_bus import RedisBus
from messenger_shared.settings.environment import SettingsError
from tests.waiting import LIMIT_S, until


@pytest.fixture
async def redis(valkey_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(valkey_url)
    yield client
    await client.aclose()


@pytest.fixture
async def bus(valkey_url: str) -> AsyncIterator[RedisBus]:
    bus = RedisBus([valkey_url], f"w-{uuid.uuid4()}")
    await bus.start()
    yield bus
    await bus.stop()


async def test_a_cut_connection_is_made_anew_resubscribed_and_told(bus: RedisBus, redis: Redis) -> None:
    name, got, gaps = f"test:{uuid.uuid4()}", [], []
    await bus.subscribe([name], got.append)
    bus.on_gap(lambda: gaps.append(True))
    assert await redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub") >= 1
    await until(lambda: gaps)
    assert bus.ready
    bus.publish(name, b"back")
    await until(lambda: got)
    assert got == [b"back"]


async def test_what_was_under_way_when_the_connection_broke_has_an_unknown_receipt(
    bus: RedisBus, redis: Redis
) -> None:
    counts: list[int | None] = []
    await redis.execute_command("CLIENT", "PAUSE", str(int(LIMIT_S * 1_000)), "WRITE")
    bus.publish("test:paused", b"", counts.append)
    await asyncio.sleep(0)
    # A "normal" client is one that doesn't subscribe; nothing else tells our two connections apart.
    await redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    await redis.execute_command("CLIENT", "UNPAUSE")
    await until(lambda: counts)
    assert counts == [None]
    await until(lambda: bus.ready)


async def test_silence_is_noticed_by_the_missing_tick(
    valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frozen server closes no connection: only the missing tick shows it."""
    monkeypatch.setattr(redis_bus, "TICK_INTERVAL_S", 0.05)
    monkeypatch.setattr(redis_bus, "TICK_TIMEOUT_S", 0.3)
    bus = RedisBus([valkey_url], f"w-{uuid.uuid4()}")
    await bus.start()
    gaps: list[bool] = []
    bus.on_gap(lambda: gaps.append(True))
    shard = bus._shards[0]
    assert shard._subscriber is not None
    monkeypatch.setattr(shard, "_on_tick", lambda payload: None)
    shard._handlers[shard._tick_channel.encode()] = lambda payload: None
    await until(lambda: gaps)
    await bus.stop()


async def test_a_process_that_itself_stood_still_does_not_take_redis_for_silent(
    valkey_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(redis_bus, "TICK_INTERVAL_S", 0.3)
    monkeypatch.setattr(redis_bus, "TICK_TIMEOUT_S", 1.0)
    bus = RedisBus([valkey_url], f"w-{uuid.uuid4()}")
    await bus.start()
    echoes: list[bytes] = []
    await bus.subscribe(["test:echo"], echoes.append)
    for _ in range(2):
        # Stands for a machine that has no time for this process.
        time.sleep(2 * redis_bus.TICK_TIMEOUT_S)  # noqa: ASYNC251
        bus.publish("test:echo", b"")
        seen = len(echoes)
        await until(lambda seen=seen: len(echoes) > seen)
    await bus.stop()
    assert "does not answer" not in caplog.text


async def test_starting_without_redis_fails_in_time_and_tells_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_bus, "START_TIMEOUT_S", 0.3)
    bus = RedisBus(["redis://127.0.0.1:1"], "w")
    with pytest.raises(SettingsError, match=r"MESSENGER_REDIS_URL: 127\.0\.0\.1:1: .*Connect call failed"):
        await bus.start()


async def test_who_gives_up_in_the_middle_of_connecting_leaves_nothing_open() -> None:
    ended = asyncio.Event()

    connected = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        connected.set()
        await reader.read()
        ended.set()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    address = redis_connection.Address.parse(f"redis://127.0.0.1:{port}")
    connecting = asyncio.create_task(redis_connection.connect(address, lambda push: None, lambda: None))
    async with asyncio.timeout(LIMIT_S):
        await connected.wait()
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    async with asyncio.timeout(LIMIT_S):
        await ended.wait()
    server.close()
    await server.wait_closed()
