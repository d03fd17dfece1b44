"""Sockets from their upgrade to their end: a lost one is freed at once, and patience is the user's."""

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

from gateway.admission import Admission
from gateway.hub import Hub
from gateway.limits import Allowances
from gateway.settings import GatewaySettings
from gateway.socket import SocketDoor
from messenger_shared.settings import Environment
from messenger_shared.tokens import Identity
from tests.gateway.world import FEWEST
from tests.waiting import until

USER = 7


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def make_door(hub: Hub) -> SocketDoor:
    """A door whose neighbours agree to everything and remember nothing."""

    async def nothing(*_: object) -> None:
        return None

    async def identify(_: object) -> Identity:
        return Identity(USER, 9e9, 0)

    def ignore(*_: object) -> None:
        return None

    lane = SimpleNamespace(stop=nothing)
    census: Any = SimpleNamespace(arriving=lambda _: nullcontext(), is_full=nothing)
    follower: Any = SimpleNamespace(arrive=nothing, depart=ignore)
    watching: Any = SimpleNamespace(gone=ignore)
    reporting: Any = SimpleNamespace(changed=ignore)
    commands: Any = SimpleNamespace(lane=lambda _: lane)
    handshake: Any = SimpleNamespace(identify=identify, still_holds=lambda _: True)
    return SocketDoor(
        hub,
        Admission(1, 1),
        census,
        Allowances(0),
        follower,
        watching,
        reporting,
        commands,
        handshake,
        GatewaySettings.read(Environment(FEWEST)),
    )


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """Where `handler` answers; aiohttp's own test server calls handlers off, which nobody does elsewhere."""
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
    return sum(isinstance(each, web.WebSocketResponse) for each in gc.get_objects())


async def lose(socket: aiohttp.ClientWebSocketResponse) -> None:
    transport = socket._conn.transport if socket._conn is not None else None
    assert transport is not None
    transport.abort()


@pytest.mark.usefixtures("no_collector")
async def test_a_lost_socket_is_no_ring() -> None:
    before, hub = sockets_in_memory(), Hub()
    async with serving(make_door(hub).handle) as url, aiohttp.ClientSession() as session:
        held = await session.ws_connect(url)
        await held.receive()
        assert sockets_in_memory() == before + 1
        await lose(held)
        await until(lambda: not hub.members)
        await until(lambda: sockets_in_memory() == before)


@pytest.mark.usefixtures("no_collector")
async def test_left_to_aiohttp_it_is_one() -> None:
    """Should it be none one day, this says so."""
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


async def test_the_sockets_of_a_user_share_his_patience_also_one_after_the_other() -> None:
    """Else who is closed for flooding would come back to as much of it as before."""
    hub, found = Hub(), []
    async with serving(make_door(hub).handle) as url, aiohttp.ClientSession() as session:
        for _ in range(2):
            held = await session.ws_connect(url)
            await held.receive()
            [connection] = hub.members[USER].connections
            found.append(connection.patience)
            await held.close()
            await until(lambda: not hub.members)
    assert found[0] is found[1]
