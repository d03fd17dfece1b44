"""One socket's bounds."""

import asyncio

from gateway.connection import MAX_BUFFERED_BYTES, MAX_BUFFERED_EPHEMERAL_BYTES
from messenger_shared.closes import Close
from tests.gateway.world import make_connection


async def test_who_does_not_read_is_closed_and_written_no_more() -> None:
    connection, transport = make_connection(1)
    transport.buffered = MAX_BUFFERED_BYTES
    connection.write(b"x")
    assert connection.closing is not None
    await asyncio.wait_for(connection.closing, 2)
    assert connection.socket.code == Close.SLOW_READER  # type: ignore[attr-defined]
    assert transport.aborted
    transport.buffered = 0
    connection.write(b"y")
    assert transport.written == b""


async def test_ephemeral_frames_are_the_first_to_go() -> None:
    connection, transport = make_connection(1)
    transport.buffered = MAX_BUFFERED_EPHEMERAL_BYTES + 1
    connection.write_ephemeral(b"x")
    assert transport.written == b""
    assert connection.closing is None
    connection.write(b"y")
    assert transport.written == b"y"


async def test_closing_twice_closes_once() -> None:
    connection, _ = make_connection(1)
    connection.close(Close.DRAINING)
    first = connection.closing
    connection.close(Close.FLOODING)
    assert connection.closing is first
    assert first is not None
    await first
    assert connection.socket.code == Close.DRAINING  # type: ignore[attr-defined]
