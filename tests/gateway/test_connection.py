"""The bounds of one socket."""

import asyncio

from gateway.connections.connection import MAX_BUFFERED_BYTES, MAX_BUFFERED_EPHEMERAL_BYTES
from messenger_shared.contract.close_codes import Close
from tests.gateway.world import make_connection
from tests.waiting import LIMIT_S


async def test_a_slow_reader_is_closed_and_gets_no_more_writes() -> None:
    connection, transport = make_connection(1)
    transport.buffered = MAX_BUFFERED_BYTES
    connection.write(b"x")
    assert connection.closing is not None
    await asyncio.wait_for(connection.closing, LIMIT_S)
    assert connection.socket.code == Close.SLOW_READER  # type: ignore[attr-defined]
    assert transport.aborted
    transport.buffered = 0
    connection.write(b"y")
    assert transport.written == b""


async def test_ephemeral_frames_are_dropped_first() -> None:
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


async def test_a_client_that_has_read_everything_is_closed_without_a_reset() -> None:
    connection, transport = make_connection(1)
    connection.close(Close.DRAINING)
    assert connection.closing is not None
    await asyncio.wait_for(connection.closing, LIMIT_S)
    assert (transport.closed, transport.aborted) == (True, False)


async def test_close_when_idle_waits_for_running_commands_until_its_timeout() -> None:
    connection, transport = make_connection(1)
    connection.busy_queues += 1
    closing = asyncio.create_task(connection.close_when_idle(Close.DRAINING, 30))
    await asyncio.sleep(0)
    assert connection.closing is None
    connection.reply(b"the answer")
    connection.mark_queue_idle()
    await asyncio.wait_for(closing, LIMIT_S)
    assert transport.written.endswith(b"the answer")
    assert connection.socket.code == Close.DRAINING  # type: ignore[attr-defined]
    stuck, _ = make_connection(1)
    stuck.busy_queues += 1
    await asyncio.wait_for(stuck.close_when_idle(Close.DRAINING, 0.01), LIMIT_S)


async def test_replies_are_written_with_the_next_event_or_at_the_end_of_the_turn() -> None:
    connection, transport = make_connection(1)
    connection.reply(b"one")
    connection.reply(b"two")
    assert transport.writes == []
    connection.write(b"event")
    assert transport.writes == [b"\x81\x03one\x81\x03twoevent"]
    connection.reply(b"three")
    await asyncio.sleep(0)
    assert transport.writes[1:] == [b"\x81\x05three"]
