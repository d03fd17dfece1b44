"""/readyz: the worker sends itself a message through Redis; without it, the worker isn't ready."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from messenger_shared.bus.redis_bus import RedisBus
from messenger_shared.runtime.service import add_health, run_component
from tests.faults.injection.proxy import Proxy
from tests.waiting import eventually

NOTICED_S = 10.0


@pytest.fixture
async def proxy(valkey_url: str) -> AsyncIterator[Proxy]:
    async with Proxy(urlsplit(valkey_url).port or 0) as proxy:
        yield proxy


@pytest.fixture
async def service(valkey_url: str, proxy: Proxy) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    parts = urlsplit(valkey_url)
    url = urlunsplit(parts._replace(netloc=f":{parts.password}@127.0.0.1:{proxy.port}"))
    app = web.Application()
    bus = RedisBus([url], f"w-{uuid.uuid4()}")
    run_component(app, bus.start, bus.stop)
    add_health(app, {"redis": lambda: bus.ready, "postgresql": lambda: True})
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_a_silent_subscription_turns_it_off_by_name_and_its_return_turns_it_on(
    service: TestClient[web.Request, web.Application], proxy: Proxy
) -> None:
    async def answers(status: int) -> bool:
        async with service.get("/readyz") as response:
            checks = (await response.json())["checks"]
            assert checks == {"redis": response.status == 200, "postgresql": True}
            return response.status == status

    assert await answers(200)
    proxy.stop_traffic()
    await eventually(lambda: answers(503), NOTICED_S)
    proxy.resume_traffic()
    await eventually(lambda: answers(200), NOTICED_S)


async def test_it_is_alive_all_the_while(
    service: TestClient[web.Request, web.Application], proxy: Proxy
) -> None:
    """A restart doesn't help a worker that waits for Redis."""
    proxy.stop_traffic()
    async with service.get("/healthz") as response:
        assert response.status == 200
