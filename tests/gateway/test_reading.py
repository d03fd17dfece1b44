"""What comes in one piece is taken a few at a time, and every ping is answered, also just before a close."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest
from aiohttp import WSMessage, WSMsgType

from gateway import reading
from gateway.connection import Connection
from gateway.hub import Hub
from gateway.limits import Bucket
from messenger_shared.closes import Close
from tests.gateway.world import ClosingSocket, NotingTransport, make_connection

PINGS = 10 * reading.AT_ONCE
CLOSED = WSMessage(WSMsgType.CLOSED, None, None)
NOTHING: Any = None


class FullSocket(ClosingSocket):
    """A socket with frames that are all there already."""

    def __init__(self, transport: NotingTransport, *frames: WSMessage) -> None:
        self.transport = transport
        self.frames = [*frames]
        self.before_close = b""

    async def receive(self) -> WSMessage:
        return self.frames.pop(0)

    async def close(self, *, code: int, message: bytes = b"", drain: bool = True) -> None:
        self.code = code
        self.before_close = bytes(self.transport.written)


def full(*frames: WSMessage) -> tuple[Connection, FullSocket, NotingTransport]:
    connection, transport = make_connection(1, Hub())
    socket = FullSocket(transport, *frames)
    connection.socket = socket  # type: ignore[assignment]
    return connection, socket, transport


def ping(number: int) -> WSMessage:
    return WSMessage(WSMsgType.PING, b"%03d" % number, None)


async def most_at_once(ended: asyncio.Task[None], socket: FullSocket) -> int:
    """The most that was taken before somebody else had a turn."""
    left = []
    while not ended.done():
        left.append(len(socket.frames))
        await asyncio.sleep(0)
    return max(before - after for before, after in itertools.pairwise(left))


async def test_a_flood_of_pings_lets_others_have_their_turns() -> None:
    connection, socket, transport = full(*map(ping, range(PINGS)), CLOSED)
    task = asyncio.create_task(reading.read(connection, NOTHING, NOTHING))
    assert await most_at_once(task, socket) <= reading.AT_ONCE
    assert transport.written == b"".join(b"\x8a\x03%03d" % number for number in range(PINGS))


async def test_a_flood_that_is_refused_lets_others_have_their_turns() -> None:
    connection, socket, transport = full(*map(ping, range(PINGS)), CLOSED)
    connection.frames = Bucket(0.001, 0)
    task = asyncio.create_task(reading.read(connection, NOTHING, NOTHING))
    assert await most_at_once(task, socket) <= reading.AT_ONCE
    assert len(transport.frames()) == PINGS


@pytest.mark.parametrize("payload", [b"", b"x" * 125], ids=["empty", "longest"])
async def test_a_ping_is_answered_before_the_close_that_came_with_it(payload: bytes) -> None:
    connection, socket, _ = full(
        WSMessage(WSMsgType.PING, bytearray(payload), None), WSMessage(WSMsgType.CLOSE, 1000, "")
    )
    await reading.read(connection, NOTHING, NOTHING)
    assert socket.before_close == bytes((0x8A, len(payload))) + payload
    assert socket.code == Close.NORMAL
