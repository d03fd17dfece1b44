"""Owns the test of the whole service: the real application, Valkey and PostgreSQL, asked over the bus."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator

import orjson
import psycopg2
import pytest
from aiohttp.test_utils import TestClient, TestServer

from messenger_shared import channels, events
from messenger_shared.clock import to_text
from messenger_shared.events import Event
from messenger_shared.identifiers import new_id
from messenger_shared.redis_bus import RedisBus
from messenger_shared.rpc_client import RpcClient
from presence.app import create_app

DEADLINE_S = 10
USER = 4_711


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """A service takes the root logger over."""
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
    async with TestClient(TestServer(await create_app())) as client:
        yield client


@pytest.fixture
async def gateway(lone_valkey_url: str) -> AsyncIterator[RedisBus]:
    bus = RedisBus((lone_valkey_url,), f"gateway-{new_id()}")
    await bus.start()
    yield bus
    await bus.stop()


async def test_first_socket_makes_online_and_the_last_one_offline_with_last_seen(
    presence: TestClient,  # type: ignore[type-arg]
    gateway: RedisBus,
    database_url: str,
) -> None:
    heard: asyncio.Queue[Event] = asyncio.Queue(maxsize=10)

    def hear(payload: bytes) -> None:
        for event in events.unpack(payload):
            heard.put_nowait(event)

    await gateway.subscribe([channels.presence(USER)], hear)
    client = RpcClient(gateway, ("presence",))
    await client.start()
    body = {"gateway": gateway.worker, "opened": [USER], "closed": [], "full": True}
    async with asyncio.timeout(DEADLINE_S):
        answer = await client.ask("presence", "presence.report", body, key=gateway.worker)
        assert answer == {"known": True}
        assert (await heard.get()).type == events.USER_ONLINE
        online = await client.ask("presence", "presence.online", {"user_ids": [USER, 1]}, key="1")
        assert online == {"user_ids": [USER]}
        await client.ask("presence", "presence.leave", {"gateway": gateway.worker}, key=gateway.worker)
        went = await heard.get()
    await client.stop()
    assert went.type == events.USER_OFFLINE
    await presence.close()
    _assert_last_seen(database_url, orjson.loads(went.frame)["last_seen_at"])


def _assert_last_seen(database_url: str, text: str) -> None:
    """Stopping the service writes what was waiting."""
    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT last_seen_at FROM presence.last_seen WHERE user_id = %s", (USER,))
        found = cursor.fetchone()
    connection.close()
    assert found is not None
    assert to_text(found[0]) == text


async def test_service_is_ready_when_its_stores_answer(presence: TestClient) -> None:  # type: ignore[type-arg]
    assert (await presence.get("/healthz")).status == 200
    async with asyncio.timeout(DEADLINE_S):
        while True:
            answer = await presence.get("/readyz")
            if answer.status == 200:
                break
    assert (await answer.json())["checks"] == {"redis": True, "store": True}


async def test_missing_setting_ends_the_service_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MESSENGER_REDIS_URL", raising=False)
    with pytest.raises(SystemExit, match="MESSENGER_REDIS_URL is not set"):
        await create_app()
