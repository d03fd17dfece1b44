"""The reader takes a few frames of a burst at a time, and answers every ping, even just before a close."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest
from aiohttp import WSMessage, WSMsgType

from gateway.connections.connection import Connection
from gateway.connections.hub import Hub
from gateway.connections.rate_limits import TokenBucket
from gateway.sockets import reader
from messenger_shared.contract.close_codes import Close
from tests.gateway.world import FakeSocket, RecordingTransport, make_connection

PINGS = 10 * reader.FRAMES_PER_TURN
CLOSED = WSMessage(WSMsgType.CLOSED, None, None)
NOTHING: Any = None


class FullSocket(FakeSocket):
    """A socket whose frames are all there already."""

    def __init__(self, transport: RecordingTransport, *frames: WSMessage) -> None:
        self.transport = transport
        self.frames = [*frames]
        self.before_close = b""

    async def receive(self) -> WSMessage:
        return self.frames.pop(0)

    async def close(self, *, code: int, message: bytes = b"", drain: bool = True) -> None:
        self.code = code
        self.before_close = bytes(self.transport.written)


def full(*frames: WSMessage) -> tuple[Connection, FullSocket, RecordingTransport]:
    connection, transport = make_connection(1, Hub())
    socket = FullSocket(transport, *frames)
    connection.socket = socket  # type: ignore[assignment]
    return connection, socket, transport


def ping(number: int) -> WSMessage:
    return WSMessage(WSMsgType.PING, b"%03d" % number, None)


async def most_at_once(ended: asyncio.Task[None], socket: FullSocket) -> int:
    """Returns the most frames that were taken before another task had a turn."""
    left = []
    while not ended.done():
        left.append(len(socket.frames))
        await asyncio.sleep(0)
    return max(before - after for before, after in itertools.pairwise(left))


async def test_a_flood_of_pings_lets_other_tasks_run() -> None:
    connection, socket, transport = full(*map(ping, range(PINGS)), CLOSED)
    task = asyncio.create_task(reader.read(connection, NOTHING, NOTHING))
    assert await most_at_once(task, socket) <= reader.FRAMES_PER_TURN
    assert transport.written == b"".join(b"\x8a\x03%03d" % number for number in range(PINGS))


async def test_a_rate_limited_flood_lets_other_tasks_run() -> None:
    connection, socket, transport = full(*map(ping, range(PINGS)), CLOSED)
    connection.frame_limit = TokenBucket(0.001, 0)
    task = asyncio.create_task(reader.read(connection, NOTHING, NOTHING))
    assert await most_at_once(task, socket) <= reader.FRAMES_PER_TURN
    assert len(transport.frames()) == PINGS


@pytest.mark.parametrize("payload", [b"", b"x" * 125], ids=["empty", "longest"])
async def test_a_ping_is_answered_before_the_close_that_came_with_it(payload: bytes) -> None:
    connection, socket, _ = full(
        WSMessage(WSMsgType.PING, bytearray(payload), None), WSMessage(WSMsgType.CLOSE, 1000, "")
    )
    await reader.read(connection, NOTHING, NOTHING)
    assert socket.before_close == bytes((0x8A, len(payload))) + payload
    assert socket.code == Close.NORMAL


class RecordingCommands:
    """Commands that are all carried out at once."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def handle(self, connection: Connection, queue: Any, text: str) -> None:
        self.texts.append(text)


async def test_a_long_frame_counts_as_two_frames() -> None:
    taken: dict[int, Any] = {}
    for chars in (reader.LONG_FRAME_CHARS, reader.LONG_FRAME_CHARS + 1):
        frames = [WSMessage(WSMsgType.TEXT, "x" * chars, None)] * 20
        connection, _, _ = full(*frames, CLOSED)
        connection.frame_limit = TokenBucket(10, asyncio.get_running_loop().time(), burst_s=1)
        taken[chars] = RecordingCommands()
        await reader.read(connection, NOTHING, taken[chars])
    assert [len(commands.texts) for commands in taken.values()] == [10, 5]
