"""A socket that shows no life is closed, and so is one whose token has ended; the others are left alone."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest

from gateway.connection import Connection
from gateway.hub import Hub, Member
from gateway.limits import Bucket
from gateway.pulse import Pulse
from messenger_shared.closes import Close
from messenger_shared.tokens import Identity
from tests.gateway.world import ClosingSocket, NotingTransport, make_connection
from tests.waiting import until

HEARTBEAT_MS = 20


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    hub = Hub()
    hub.members[1] = Member(1, Bucket(0, 0))
    pulse = Pulse(hub, HEARTBEAT_MS)
    await pulse.start()
    yield hub
    await pulse.stop()


def attached(hub: Hub) -> tuple[Connection, NotingTransport]:
    connection, transport = make_connection(1, hub)
    hub.attach(hub.members[1], connection)
    return connection, transport


async def code_of(connection: Connection) -> int | None:
    await until(lambda: connection.closing is not None)
    assert connection.closing is not None
    await connection.closing
    socket = connection.socket
    assert isinstance(socket, ClosingSocket)
    return socket.code


async def test_who_answers_no_ping_is_closed(hub: Hub) -> None:
    """Also who announces a frame and never ends it: within it there is no way to answer."""
    silent, transport = attached(hub)
    alive, _ = attached(hub)
    await until(lambda: (setattr(alive, "pinged_at", 0.0), silent.closing is not None)[1])
    assert transport.written.startswith(b"\x89\x00")
    assert await code_of(silent) == Close.HEARTBEAT_LOST
    assert alive.closing is None


async def test_whose_token_has_ended_is_closed(hub: Hub) -> None:
    ended, _ = attached(hub)
    ended.identity = Identity(1, time.time() - 1, 0)
    assert await code_of(ended) == Close.TOKEN_EXPIRED
