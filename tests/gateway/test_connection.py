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


async def test_the_end_of_who_has_read_everything_is_no_reset() -> None:
    connection, transport = make_connection(1)
    connection.close(Close.DRAINING)
    assert connection.closing is not None
    await asyncio.wait_for(connection.closing, 2)
    assert (transport.closed, transport.aborted) == (True, False)


async def test_parting_waits_for_what_is_under_way_but_not_for_ever() -> None:
    connection, transport = make_connection(1)
    connection.busy += 1
    parting = asyncio.create_task(connection.part(Close.DRAINING, 30))
    await asyncio.sleep(0)
    assert connection.closing is None
    connection.reply(b"the answer")
    connection.rest()
    await asyncio.wait_for(parting, 2)
    assert transport.written.endswith(b"the answer")
    assert connection.socket.code == Close.DRAINING  # type: ignore[attr-defined]
    stuck, _ = make_connection(1)
    stuck.busy += 1
    await asyncio.wait_for(stuck.part(Close.DRAINING, 0.01), 2)


async def test_replies_leave_with_the_event_of_the_same_turn_or_at_its_end() -> None:
    connection, transport = make_connection(1)
    connection.reply(b"one")
    connection.reply(b"two")
    assert transport.writes == []
    connection.write(b"event")
    assert transport.writes == [b"\x81\x03one\x81\x03twoevent"]
    connection.reply(b"three")
    await asyncio.sleep(0)
    assert transport.writes[1:] == [b"\x81\x05three"]
