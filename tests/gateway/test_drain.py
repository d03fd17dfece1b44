"""A draining worker asks its sockets to leave one by one, and ends when the last one is gone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.connections.connection import Connection
from gateway.connections.hub import Hub, Member
from gateway.connections.rate_limits import TokenBucket
from gateway.sockets.admission import Admission
from gateway.sockets.drain import Drain
from messenger_shared.contract.close_codes import Close
from messenger_shared.contract.errors import AppError
from tests.gateway.world import RecordingTransport, make_connection
from tests.waiting import LIMIT_S, until

SOCKETS = 8


class Crowd:
    """Sockets at one hub, which detach when they end."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.open: dict[Connection, tuple[Member, RecordingTransport]] = {}

    def open_socket(self, user_id: int) -> None:
        connection, transport = make_connection(user_id)
        member = self.hub.members[user_id] = Member(user_id, TokenBucket(0, 0))
        self.hub.attach(member, connection)
        self.open[connection] = (member, transport)

    def leave(self, connection: Connection) -> None:
        self.hub.detach(self.open[connection][0], connection)

    def frames(self) -> list[dict[str, Any]]:
        return [frame for _, transport in self.open.values() for frame in transport.frames()]


@pytest.fixture
async def crowd() -> Crowd:
    crowd = Crowd()
    for user_id in range(1, SOCKETS + 1):
        crowd.open_socket(user_id)
    return crowd


async def test_each_socket_has_a_slot_of_its_own_and_is_closed_after_it(crowd: Crowd) -> None:
    admission = Admission(1, 1)
    await asyncio.wait_for(Drain(crowd.hub, admission, 0.4).run(), LIMIT_S)
    frames = crowd.frames()
    assert {(frame["type"], frame["event"]) for frame in frames} == {("system", "draining")}
    assert sorted(frame["reconnect_after_ms"] for frame in frames) == [int(n * 37.5) for n in range(SOCKETS)]
    codes = {connection.socket.code for connection in crowd.open}  # type: ignore[attr-defined]
    assert codes == {Close.DRAINING}
    with pytest.raises(AppError):
        async with admission.slot():
            pass


async def test_draining_ends_as_soon_as_all_clients_have_left(crowd: Crowd) -> None:
    drain = asyncio.create_task(Drain(crowd.hub, Admission(1, 1), 60).run())
    await until(lambda: len(crowd.frames()) == SOCKETS)
    for connection in crowd.open:
        crowd.leave(connection)
    await asyncio.wait_for(drain, LIMIT_S)
    assert {connection.closing for connection in crowd.open} == {None}


async def test_draining_without_sockets_ends_at_once() -> None:
    await asyncio.wait_for(Drain(Hub(), Admission(1, 1), 60).run(), LIMIT_S)


async def test_a_socket_that_opened_during_the_drain_is_closed_too(crowd: Crowd) -> None:
    drain = asyncio.create_task(Drain(crowd.hub, Admission(1, 1), 0.2).run())
    await until(lambda: len(crowd.frames()) == SOCKETS)
    crowd.open_socket(99)
    await asyncio.wait_for(drain, LIMIT_S)
    codes = [connection.socket.code for connection in crowd.open]  # type: ignore[attr-defined]
    assert codes == [Close.DRAINING] * (SOCKETS + 1)
