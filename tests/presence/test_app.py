"""Tests the whole service: the real application, Valkey and PostgreSQL, asked over the bus."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator

import psycopg2
import pytest
from aiohttp.test_utils import TestClient, TestServer
from redis.asyncio import Redis

from messenger_shared.bus import channels
from messenger_shared.bus.redis_bus import RedisBus
from messenger_shared.contract import presence_states
from messenger_shared.contract.identifiers import new_id
from messenger_shared.contract.presence_states import OFFLINE, ONLINE, Change
from messenger_shared.contract.timestamps import to_text
from messenger_shared.rpc.client import RpcClient
from presence import statistics
from presence.app import create_app
from tests.waiting import LIMIT_S

USER = 4_711


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """A service replaces the configuration of the root logger."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
async def presence(
    lone_valkey_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[TestClient]:  # type: ignore[type-arg]
    monkeypatch.setenv("MESSENGER_REDIS_URL", lone_valkey_url)
    monkeypatch.setenv("MESSENGER_DATABASE_URL", database_url)
    monkeypatch.setenv("MESSENGER_PRESENCE_GRACE_MS", "0")
    async with Redis.from_url(lone_valkey_url) as client:
        await client.flushall()
    async with TestClient(TestServer(await create_app())) as client:
        yield client


@pytest.fixture
async def gateway(lone_valkey_url: str) -> AsyncIterator[RedisBus]:
    bus = RedisBus((lone_valkey_url,), f"gateway-{new_id()}")
    await bus.start()
    yield bus
    await bus.stop()


@pytest.fixture
async def rpc(gateway: RedisBus) -> AsyncIterator[RpcClient]:
    client = RpcClient(gateway, ("presence",))
    await client.start()
    yield client
    await client.stop()


async def receive_changes(gateway: RedisBus) -> asyncio.Queue[Change]:
    received: asyncio.Queue[Change] = asyncio.Queue(maxsize=10)

    def on_message(payload: bytes) -> None:
        for change in presence_states.unpack(payload):
            received.put_nowait(change)

    await gateway.subscribe([channels.presence(USER)], on_message)
    return received


async def report(rpc: RpcClient, gateway: RedisBus, *users: int) -> None:
    body = {"gateway": gateway.worker, "opened": users, "closed": [], "full": True, "connections": len(users)}
    answer = await rpc.ask("presence", "presence.report", body, key=gateway.worker)
    assert answer == {"known": True}


async def test_first_socket_makes_online_and_the_last_one_offline_with_last_seen(
    presence: TestClient,  # type: ignore[type-arg]
    gateway: RedisBus,
    rpc: RpcClient,
    database_url: str,
) -> None:
    received = await receive_changes(gateway)
    async with asyncio.timeout(LIMIT_S):
        await report(rpc, gateway, USER)
        assert (await received.get()).status == ONLINE
        states = await rpc.ask("presence", "presence.states", {"user_ids": [USER, 1]}, key="1")
        assert [status for status, _, _ in states["states"]] == [ONLINE, OFFLINE]
        await rpc.ask("presence", "presence.leave", {"gateway": gateway.worker}, key=gateway.worker)
        went = await received.get()
    assert went.status == OFFLINE
    await presence.close()
    _assert_last_seen(database_url, presence_states.moment(went.seen_ms))


async def test_a_choice_outlives_redis(
    presence: TestClient,  # type: ignore[type-arg]
    gateway: RedisBus,
    rpc: RpcClient,
    lone_valkey_url: str,
) -> None:
    received = await receive_changes(gateway)
    async with asyncio.timeout(LIMIT_S):
        await report(rpc, gateway, USER)
        assert (await received.get()).status == ONLINE
        await rpc.ask("presence", "presence.choose", {"status": "invisible"}, key="1", user_id=USER)
        assert (await received.get()).status == OFFLINE
        async with Redis.from_url(lone_valkey_url) as client:
            await client.flushall()
        await report(rpc, gateway, USER)
        await rpc.ask("presence", "presence.choose", {"status": "online"}, key="1", user_id=USER)
        assert (await received.get()).status == ONLINE
    assert received.empty()


async def test_statistics_are_over_all_gateways(
    presence: TestClient,  # type: ignore[type-arg]
    gateway: RedisBus,
    rpc: RpcClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Longer than a busy machine takes.
    monkeypatch.setattr(statistics, "CACHED_S", 10 * LIMIT_S)
    await gateway.subscribe([channels.conversation("x"), channels.conversation("y")], lambda _: None)
    await report(rpc, gateway, USER, USER + 1)
    counted = await rpc.ask("presence", "stats.get", {}, key="1")
    assert counted == {
        "online_users": 2,
        "total_connections": 2,
        "active_conversations": 2,
        "gateways": [{"id": gateway.worker.rpartition("-")[2], "connections": 2}],
    }
    await rpc.ask("presence", "presence.leave", {"gateway": gateway.worker}, key=gateway.worker)
    assert await rpc.ask("presence", "stats.get", {}, key="1") == counted, "not counted anew so soon"


async def test_statistics_outlive_a_connection_that_broke_while_it_was_idle(
    presence: TestClient,  # type: ignore[type-arg]
    rpc: RpcClient,
    lone_valkey_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(statistics, "CACHED_S", 0.0)
    counted = await rpc.ask("presence", "stats.get", {}, key="1")
    async with Redis.from_url(lone_valkey_url) as client:
        counting = [row["id"] for row in await client.client_list() if row["cmd"] == "pubsub|channels"]
        assert counting
        for id_ in counting:
            await client.execute_command("CLIENT", "KILL", "ID", id_)
    assert await rpc.ask("presence", "stats.get", {}, key="1") == counted


def _assert_last_seen(database_url: str, text: str | None) -> None:
    """Stopping the service writes what was waiting."""
    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT last_seen_at FROM presence.last_seen WHERE user_id = %s", (USER,))
        found = cursor.fetchone()
    connection.close()
    assert found is not None
    assert to_text(found[0]) == text


async def test_service_is_ready_when_its_stores_answer(presence: TestClient) -> None:  # type: ignore[type-arg]
    assert (await presence.get("/healthz")).status == 200
    async with asyncio.timeout(LIMIT_S):
        while True:
            answer = await presence.get("/readyz")
            if answer.status == 200:
                break
    assert (await answer.json())["checks"] == {"redis": True, "store": True}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MESSENGER_PRESENCE_GRACE_MS", "-1"),
        ("MESSENGER_ONLINE_STATUS", "2"),
        ("MESSENGER_ONLINE_STATUS", "on"),
    ],
)
async def test_a_setting_that_makes_no_sense_ends_the_service_with_its_name(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESSENGER_REDIS_URL", "redis://a")
    monkeypatch.setenv("MESSENGER_DATABASE_URL", "postgresql://a")
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=name):
        await create_app()


async def test_missing_setting_ends_the_service_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MESSENGER_REDIS_URL", raising=False)
    with pytest.raises(SystemExit, match="MESSENGER_REDIS_URL is not set"):
        await create_app()
