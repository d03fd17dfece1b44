"""The proxy does what it promises to a connection, on the event loop of the runs and on Python's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any

import pytest
import uvloop

from tests.faults.injection.proxy import Link, Proxy

LIMIT_S = 5.0
QUIET_S = 0.05
TEXT = bytes(range(256)) * 20


class Ends:
    """A connection through a proxy: `client_end` is the client's end, `target_end` the server's."""

    def __init__(self, proxy: Proxy, client_end: Streams, target_end: Streams) -> None:
        self.proxy = proxy
        self.client_reader, self.client_writer = client_end
        self.target_reader, self.target_writer = target_end

    @property
    def link(self) -> Link:
        [link] = self.proxy.links
        return link


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Scenario = Callable[[Ends], Coroutine[Any, Any, None]]


@asynccontextmanager
async def connected() -> AsyncIterator[Ends]:
    arrived: asyncio.Queue[Streams] = asyncio.Queue()
    server = await asyncio.start_server(lambda *streams: arrived.put_nowait(streams), "127.0.0.1", 0)
    async with Proxy(server.sockets[0].getsockname()[1]) as proxy:
        client_end = await asyncio.open_connection("127.0.0.1", proxy.port)
        target_end = await arrived.get()
        yield Ends(proxy, client_end, target_end)
        client_end[1].close()
        target_end[1].close()
    server.close()


async def passes_both_ways(ends: Ends) -> None:
    ends.client_writer.write(TEXT)
    assert await ends.target_reader.readexactly(len(TEXT)) == TEXT
    ends.target_writer.write(TEXT)
    assert await ends.client_reader.readexactly(len(TEXT)) == TEXT


async def holds_and_releases(ends: Ends) -> None:
    ends.link.pause("test")
    ends.client_writer.write(TEXT)
    assert await nothing(ends.target_reader.read(1))
    ends.link.resume("test")
    assert await ends.target_reader.readexactly(len(TEXT)) == TEXT


async def slices(ends: Ends) -> None:
    ends.link.slice(Random(1))
    ends.target_writer.write(TEXT[:100])
    pieces = []
    while sum(map(len, pieces)) < 100:
        pieces.append(await ends.client_reader.read(100))
    assert b"".join(pieces) == TEXT[:100]
    assert len(pieces) > 5
    ends.link.slice(None)
    await passes_both_ways(ends)


async def delays_and_keeps_the_order(ends: Ends) -> None:
    ends.link.delay(2 * QUIET_S)
    ends.client_writer.write(b"first")
    assert await nothing(ends.target_reader.read(1))
    ends.link.delay(0)
    ends.client_writer.write(b"second")
    assert await ends.target_reader.readexactly(11) == b"firstsecond"


async def resets(ends: Ends) -> None:
    ends.link.reset()
    for reader in (ends.client_reader, ends.target_reader):
        with pytest.raises(ConnectionResetError):
            await reader.read()
    assert not ends.proxy.links


async def finishes(ends: Ends) -> None:
    ends.link.finish()
    assert await ends.client_reader.read() == await ends.target_reader.read() == b""


async def breaks_in_the_middle(ends: Ends) -> None:
    ends.link.break_next()
    ends.target_writer.write(TEXT[:100])
    assert await ends.client_reader.readexactly(50) == TEXT[:50]
    with pytest.raises(ConnectionResetError):
        await ends.client_reader.read()


async def breaks_behind_what_is_under_way(ends: Ends) -> None:
    ends.link.slice(Random(1))
    ends.target_writer.write(TEXT)
    received = await ends.client_reader.readexactly(1)
    ends.link.break_next()
    ends.target_writer.write(b"later" * 100)
    with suppress(ConnectionResetError):
        while data := await ends.client_reader.read(len(TEXT)):
            received += data
    assert (TEXT + b"later" * 50).startswith(received)


async def ends_with_its_other_end(ends: Ends) -> None:
    ends.target_writer.close()
    assert await ends.client_reader.read() == b""


async def is_silent_for_new_connections_too(ends: Ends) -> None:
    ends.proxy.stop_traffic()
    reader, writer = await asyncio.open_connection("127.0.0.1", ends.proxy.port)
    ends.client_writer.write(TEXT)
    assert await nothing(ends.target_reader.read(1))
    ends.proxy.resume_traffic()
    assert await ends.target_reader.readexactly(len(TEXT)) == TEXT
    writer.close()
    assert reader is not None


async def nothing(read: Awaitable[bytes]) -> bool:
    """Whether nothing comes for a moment."""
    try:
        await asyncio.wait_for(read, QUIET_S)
    except TimeoutError:
        return True
    return False


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize(
    "scenario",
    [
        passes_both_ways,
        holds_and_releases,
        slices,
        delays_and_keeps_the_order,
        resets,
        finishes,
        breaks_in_the_middle,
        breaks_behind_what_is_under_way,
        ends_with_its_other_end,
        is_silent_for_new_connections_too,
    ],
)
def test_it(scenario: Scenario, factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def run_scenario() -> None:
        async with asyncio.timeout(LIMIT_S), connected() as ends:
            await scenario(ends)

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(run_scenario())
