"""A user's sockets are counted over all gateways, whatever some of them do."""

from __future__ import annotations

import asyncio

import pytest

from gateway.connections import socket_counter
from gateway.connections.hub import Member
from gateway.connections.rate_limits import TokenBucket
from gateway.connections.socket_counter import SocketCounter
from messenger_shared.bus import channels
from messenger_shared.bus.memory_bus import MemoryBroker, MemoryBus
from messenger_shared.contract.events import unpack
from tests.gateway.world import make_connection
from tests.waiting import LIMIT_S

USER = 1
LIMIT = 5


class Gateway:
    """One gateway, as far as the sockets of one user are concerned."""

    def __init__(self, broker: MemoryBroker, name: str) -> None:
        self.bus = MemoryBus(broker, name)
        self.socket_counter = SocketCounter(self.bus, LIMIT)
        self.member = Member(USER, TokenBucket(0, 0))

    async def start(self) -> None:
        await self.bus.start()
        await self.bus.subscribe([channels.user(USER)], self._on_user)

    async def open(self) -> bool:
        """Opens a socket, unless the user has too many."""
        with self.socket_counter.arriving(self.member) as arrival:
            if await self.socket_counter.is_limit_reached(self.member, arrival):
                return False
            self.member.connections.append(make_connection(USER)[0])
            return True

    def _on_user(self, payload: bytes) -> None:
        for event in unpack(payload):
            self.socket_counter.handle_event(self.member, event)


@pytest.fixture
async def gateways(monkeypatch: pytest.MonkeyPatch) -> list[Gateway]:
    # Otherwise an answer would come too late on a busy machine.
    monkeypatch.setattr(socket_counter, "ANSWER_TIMEOUT_S", LIMIT_S)
    broker = MemoryBroker()
    gateways = [Gateway(broker, f"gateway-{n}") for n in range(3)]
    for gateway in gateways:
        await gateway.start()
    return gateways


async def test_the_limit_holds_over_all_gateways(gateways: list[Gateway]) -> None:
    opened = [await gateways[n % 3].open() for n in range(LIMIT + 4)]
    assert opened == [True] * LIMIT + [False] * 4
    gateways[0].member.connections.pop()
    assert await gateways[2].open()
    assert not await gateways[1].open()


async def test_of_simultaneous_sockets_exactly_the_limit_is_opened(gateways: list[Gateway]) -> None:
    opened = await asyncio.gather(*(gateways[n % 3].open() for n in range(4 * LIMIT)))
    assert opened == [True] * LIMIT + [False] * 3 * LIMIT


async def test_a_gateway_that_does_not_answer_counts_as_zero(
    gateways: list[Gateway], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_counter, "ANSWER_TIMEOUT_S", 0.01)
    for _ in range(LIMIT - 1):
        await gateways[0].open()
    await gateways[1].bus.subscribe([channels.user(USER)], lambda payload: None)
    assert await asyncio.wait_for(gateways[2].open(), LIMIT_S)
    assert not await gateways[2].open()


async def test_without_redis_its_own_sockets_count(gateways: list[Gateway]) -> None:
    await gateways[0].bus.stop()
    opened = [await gateways[0].open() for _ in range(LIMIT + 1)]
    assert opened == [True] * LIMIT + [False]
