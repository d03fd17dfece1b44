"""The proxy does what it says to a connection, on the event loop that runs use and on Python's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest
import uvloop

from tests.faults.proxy import Passage, Proxy

LIMIT_S = 5.0
QUIET_S = 0.05
TEXT = bytes(range(256)) * 20


class Ends:
    """A connection through a proxy: `near` is who connected, `far` what answers; and what is in between."""

    def __init__(self, proxy: Proxy, near: Streams, far: Streams) -> None:
        self.proxy = proxy
        self.near_reader, self.near_writer = near
        self.far_reader, self.far_writer = far

    @property
    def passage(self) -> Passage:
        [passage] = self.proxy.passages
        return passage


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Scene = Callable[[Ends], Coroutine[Any, Any, None]]


@asynccontextmanager
async def connected() -> AsyncIterator[Ends]:
    arrived: asyncio.Queue[Streams] = asyncio.Queue()
    server = await asyncio.start_server(lambda *streams: arrived.put_nowait(streams), "127.0.0.1", 0)
    async with Proxy(server.sockets[0].getsockname()[1]) as proxy:
        near = await asyncio.open_connection("127.0.0.1", proxy.port)
        far = await arrived.get()
        yield Ends(proxy, near, far)
        near[1].close()
        far[1].close()
    server.close()


async def passes_both_ways(ends: Ends) -> None:
    ends.near_writer.write(TEXT)
    assert await ends.far_reader.readexactly(len(TEXT)) == TEXT
    ends.far_writer.write(TEXT)
    assert await ends.near_reader.readexactly(len(TEXT)) == TEXT


async def holds_and_releases(ends: Ends) -> None:
    ends.passage.hold("test")
    ends.near_writer.write(TEXT)
    assert await nothing(ends.far_reader.read(1))
    ends.passage.release("test")
    assert await ends.far_reader.readexactly(len(TEXT)) == TEXT


async def slices(ends: Ends) -> None:
    ends.passage.slice(Random(1))
    ends.far_writer.write(TEXT[:100])
    pieces = []
    while sum(map(len, pieces)) < 100:
        pieces.append(await ends.near_reader.read(100))
    assert b"".join(pieces) == TEXT[:100]
    assert len(pieces) > 5
    ends.passage.slice(None)
    await passes_both_ways(ends)


async def delays_and_keeps_the_order(ends: Ends) -> None:
    ends.passage.delay(2 * QUIET_S)
    ends.near_writer.write(b"first")
    assert await nothing(ends.far_reader.read(1))
    ends.passage.delay(0)
    ends.near_writer.write(b"second")
    assert await ends.far_reader.readexactly(11) == b"firstsecond"


async def resets(ends: Ends) -> None:
    ends.passage.reset()
    for reader in (ends.near_reader, ends.far_reader):
        with pytest.raises(ConnectionResetError):
            await reader.read()
    assert not ends.proxy.passages


async def finishes(ends: Ends) -> None:
    ends.passage.finish()
    assert await ends.near_reader.read() == await ends.far_reader.read() == b""


async def breaks_in_the_middle(ends: Ends) -> None:
    ends.passage.break_next()
    ends.far_writer.write(TEXT[:100])
    assert await ends.near_reader.readexactly(50) == TEXT[:50]
    with pytest.raises(ConnectionResetError):
        await ends.near_reader.read()


async def ends_with_its_other_end(ends: Ends) -> None:
    ends.far_writer.close()
    assert await ends.near_reader.read() == b""


async def is_silent_for_new_connections_too(ends: Ends) -> None:
    ends.proxy.silence()
    reader, writer = await asyncio.open_connection("127.0.0.1", ends.proxy.port)
    ends.near_writer.write(TEXT)
    assert await nothing(ends.far_reader.read(1))
    ends.proxy.speak()
    assert await ends.far_reader.readexactly(len(TEXT)) == TEXT
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
    "scene",
    [
        passes_both_ways,
        holds_and_releases,
        slices,
        delays_and_keeps_the_order,
        resets,
        finishes,
        breaks_in_the_middle,
        ends_with_its_other_end,
        is_silent_for_new_connections_too,
    ],
)
def test_it(scene: Scene, factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def play() -> None:
        async with asyncio.timeout(LIMIT_S), connected() as ends:
            await scene(ends)

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(play())
