"""A socket whose client went without a close is freed at once, without waiting for the collector."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import aiohttp
import pytest
from aiohttp import web

from gateway.socket import untie
from tests.waiting import until


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def sockets_in_memory() -> int:
    return sum(isinstance(each, web.WebSocketResponse) for each in gc.get_objects())


async def lose_one(port: int) -> None:
    async with aiohttp.ClientSession() as session:
        held = await session.ws_connect(f"http://127.0.0.1:{port}/")
        transport = held._conn.transport if held._conn is not None else None
        assert transport is not None
        transport.abort()


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("is_untied", [True, False], ids=["untied", "left to aiohttp"])
async def test_a_lost_socket_is_no_ring(is_untied: bool) -> None:
    """Should it be none without us either one day, this says so."""
    before = sockets_in_memory()
    ended: list[bool] = []

    async def handle(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        if is_untied:
            untie(socket)
        ended.append(True)
        return socket

    app = web.Application()
    app.router.add_get("/", handle)
    # aiohttp's own test server calls handlers off, which nobody does where it counts.
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await lose_one(int(runner.addresses[0][1]))
    await until(lambda: bool(ended))
    if is_untied:
        await until(lambda: sockets_in_memory() == before)
    else:
        with pytest.raises(AssertionError):
            await until(lambda: sockets_in_memory() == before, 0.5)
    await runner.cleanup()
