"""The heartbeat closes a socket without a sign of life or with an expired token, and leaves others alone."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest

from gateway.connections.connection import Connection
from gateway.connections.hub import Hub, Member
from gateway.connections.rate_limits import TokenBucket
from gateway.sockets.heartbeat import Heartbeat
from messenger_shared.contract.close_codes import Close
from messenger_shared.contract.tokens import Identity
from tests.gateway.world import FakeSocket, RecordingTransport, make_connection
from tests.waiting import until

HEARTBEAT_MS = 20


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    hub = Hub()
    hub.members[1] = Member(1, TokenBucket(0, 0))
    heartbeat = Heartbeat(hub, HEARTBEAT_MS)
    await heartbeat.start()
    yield hub
    await heartbeat.stop()


def attached(hub: Hub) -> tuple[Connection, RecordingTransport]:
    connection, transport = make_connection(1, hub)
    hub.attach(hub.members[1], connection)
    return connection, transport


async def code_of(connection: Connection) -> int | None:
    await until(lambda: connection.closing is not None)
    assert connection.closing is not None
    await connection.closing
    socket = connection.socket
    assert isinstance(socket, FakeSocket)
    return socket.code


async def test_a_socket_that_answers_no_ping_is_closed(hub: Hub) -> None:
    """Includes a client that starts a frame and never ends it: it can't answer a ping within the frame."""
    silent, transport = attached(hub)
    alive, _ = attached(hub)
    await until(lambda: (setattr(alive, "pinged_at", 0.0), silent.closing is not None)[1])
    assert transport.written.startswith(b"\x89\x00")
    assert await code_of(silent) == Close.HEARTBEAT_LOST
    assert alive.closing is None


async def test_a_socket_whose_token_has_expired_is_closed(hub: Hub) -> None:
    ended, _ = attached(hub)
    ended.identity = Identity(1, time.time() - 1, 0)
    assert await code_of(ended) == Close.TOKEN_EXPIRED


@pytest.mark.parametrize("jump_s", [3_600, -3_600])
async def test_a_jump_of_the_clock_ends_no_socket_and_prolongs_none(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, jump_s: int
) -> None:
    lasting, ended = attached(hub)[0], attached(hub)[0]
    lasting.identity = Identity(1, time.time() + 600, 0)
    ended.identity = Identity(1, time.time() - 1, 0)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + jump_s)
    await until(lambda: (setattr(lasting, "pinged_at", 0.0), ended.closing is not None)[1])
    assert await code_of(ended) == Close.TOKEN_EXPIRED
    assert lasting.closing is None
