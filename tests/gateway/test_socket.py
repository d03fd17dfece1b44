"""Sockets from upgrade to end: a lost one is freed at once, and refusals are counted per user."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.connections.hub import Hub
from gateway.connections.rate_limits import TokenBuckets
from gateway.edge.websocket import WebSocketEndpoint
from gateway.settings import GatewaySettings
from gateway.sockets.admission import Admission
from messenger_shared.contract.tokens import Identity
from messenger_shared.settings.environment import Environment
from tests.gateway.world import REQUIRED_SETTINGS
from tests.waiting import until

USER = 7


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def make_endpoint(hub: Hub) -> WebSocketEndpoint:
    """Returns an endpoint whose collaborators accept everything and store nothing."""

    async def nothing(*_: object) -> None:
        return None

    async def identify(_: object) -> Identity:
        return Identity(USER, 9e9, 0)

    def ignore(*_: object) -> None:
        return None

    queue = SimpleNamespace(stop=nothing)
    socket_counter: Any = SimpleNamespace(arriving=lambda _: nullcontext(), is_limit_reached=nothing)
    memberships: Any = SimpleNamespace(arrive=nothing, depart=ignore)
    subscriptions: Any = SimpleNamespace(connection_closed=ignore)
    reporter: Any = SimpleNamespace(changed=ignore)
    commands: Any = SimpleNamespace(queue=lambda _: queue)
    handshake: Any = SimpleNamespace(identify=identify, is_still_valid=lambda _: True)
    return WebSocketEndpoint(
        hub,
        Admission(1, 1),
        socket_counter,
        TokenBuckets(0),
        memberships,
        subscriptions,
        reporter,
        commands,
        handshake,
        GatewaySettings.read(Environment(REQUIRED_SETTINGS)),
    )


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """Serves `handler` and yields its URL. Unlike aiohttp's own test server, it doesn't cancel handlers."""
    app = web.Application()
    app.router.add_get("/", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


def sockets_in_memory() -> int:
    # Objects of other tests, such as Django's settings, may raise when they are asked for their class.
    return sum(issubclass(type(each), web.WebSocketResponse) for each in gc.get_objects())


async def lose(socket: aiohttp.ClientWebSocketResponse) -> None:
    transport = socket._conn.transport if socket._conn is not None else None
    assert transport is not None
    transport.abort()


@pytest.mark.usefixtures("no_collector")
async def test_a_lost_socket_leaves_no_reference_cycle() -> None:
    before, hub = sockets_in_memory(), Hub()
    async with serving(make_endpoint(hub).handle) as url, aiohttp.ClientSession() as session:
        held = await session.ws_connect(url)
        await held.receive()
        assert sockets_in_memory() == before + 1
        await lose(held)
        await until(lambda: not hub.members)
        await until(lambda: sockets_in_memory() == before)


@pytest.mark.usefixtures("no_collector")
async def test_without_our_workaround_aiohttp_leaves_a_reference_cycle() -> None:
    """Fails if a future aiohttp makes our workaround unnecessary."""
    before, ended = sockets_in_memory(), []

    async def handle(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        ended.append(True)
        return socket

    async with serving(handle) as url, aiohttp.ClientSession() as session:
        await lose(await session.ws_connect(url))
        await until(lambda: ended)
        with pytest.raises(AssertionError):
            await until(lambda: sockets_in_memory() == before, 0.5)


async def test_a_reconnected_user_keeps_the_same_refusal_limit() -> None:
    """Otherwise a client that is closed for too many refusals could reconnect and start anew."""
    hub, found = Hub(), []
    async with serving(make_endpoint(hub).handle) as url, aiohttp.ClientSession() as session:
        for _ in range(2):
            held = await session.ws_connect(url)
            await held.receive()
            [connection] = hub.members[USER].connections
            found.append(connection.refusal_limit)
            await held.close()
            await until(lambda: not hub.members)
    assert found[0] is found[1]
