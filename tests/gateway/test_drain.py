"""A worker that is to end sends its sockets away one by one, and is done when the last one is gone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.admission import Admission
from gateway.connection import Connection
from gateway.drain import Drain
from gateway.hub import Hub, Member
from gateway.limits import Bucket
from messenger_shared.closes import Close
from messenger_shared.errors import AppError
from tests.gateway.world import NotingTransport, make_connection
from tests.waiting import until

SOCKETS = 8


class Crowd:
    """Sockets at one hub, which leave it as their ends would make them."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.open: dict[Connection, tuple[Member, NotingTransport]] = {}

    def come(self, user_id: int) -> None:
        connection, transport = make_connection(user_id)
        member = self.hub.members[user_id] = Member(user_id, Bucket(0, 0))
        self.hub.attach(member, connection)
        self.open[connection] = (member, transport)

    def leave(self, connection: Connection) -> None:
        self.hub.detach(self.open[connection][0], connection)

    def told(self) -> list[dict[str, Any]]:
        return [frame for _, transport in self.open.values() for frame in transport.frames()]


@pytest.fixture
async def crowd() -> Crowd:
    crowd = Crowd()
    for user_id in range(1, SOCKETS + 1):
        crowd.come(user_id)
    return crowd


async def test_each_socket_has_a_slot_of_its_own_and_is_closed_after_it(crowd: Crowd) -> None:
    door = Admission(1, 1)
    await asyncio.wait_for(Drain(crowd.hub, door, 0.4).run(), 5)
    frames = crowd.told()
    assert {(frame["type"], frame["event"]) for frame in frames} == {("system", "draining")}
    assert sorted(frame["reconnect_after_ms"] for frame in frames) == [int(n * 37.5) for n in range(SOCKETS)]
    codes = {connection.socket.code for connection in crowd.open}  # type: ignore[attr-defined]
    assert codes == {Close.DRAINING}
    with pytest.raises(AppError):
        async with door.place():
            pass


async def test_it_is_over_as_soon_as_all_have_gone_by_themselves(crowd: Crowd) -> None:
    drain = asyncio.create_task(Drain(crowd.hub, Admission(1, 1), 60).run())
    await until(lambda: len(crowd.told()) == SOCKETS)
    for connection in crowd.open:
        crowd.leave(connection)
    await asyncio.wait_for(drain, 2)
    assert {connection.closing for connection in crowd.open} == {None}


async def test_with_nobody_here_there_is_nothing_to_wait_for() -> None:
    await asyncio.wait_for(Drain(Hub(), Admission(1, 1), 60).run(), 2)


async def test_who_came_in_at_the_last_moment_is_sent_away_too(crowd: Crowd) -> None:
    drain = asyncio.create_task(Drain(crowd.hub, Admission(1, 1), 0.2).run())
    await until(lambda: len(crowd.told()) == SOCKETS)
    crowd.come(99)
    await asyncio.wait_for(drain, 5)
    codes = [connection.socket.code for connection in crowd.open]  # type: ignore[attr-defined]
    assert codes == [Close.DRAINING] * (SOCKETS + 1)
