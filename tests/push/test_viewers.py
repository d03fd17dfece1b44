"""Who looks at a conversation: the feed asks, and every gateway answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from chat_api.feed.push import viewers
from chat_api.feed.push.viewers import Viewers as Asking
from gateway.connections.hub import Hub, Room
from gateway.delivery.viewers import Viewers as Answering
from messenger_shared.bus.memory_bus import MemoryBroker, MemoryBus

ROOM, OTHER = "room", "other"


class Socket:
    """What the hub and the answers need of a socket."""

    def __init__(self, user_id: int, *, is_away: bool) -> None:
        self.user_id = user_id
        self.is_away = is_away
        self.viewing: set[str] | None = None


def look(hub: Hub, room_id: str, user_id: int, *, is_away: bool = False) -> None:
    """Adds a socket that views the room."""
    room = hub.rooms.setdefault(room_id, Room(room_id))
    socket: Any = Socket(user_id, is_away=is_away)
    hub.view(socket, room)


class World:
    """Two gateways and a feed."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self.hubs = [Hub(), Hub()]
        self._gateways = [
            Answering(self._bus(f"gateway-{number}"), hub) for number, hub in enumerate(self.hubs)
        ]
        self.feed = Asking(self._bus("feed-1"))

    def _bus(self, worker: str) -> MemoryBus:
        return MemoryBus(self.broker, worker)

    async def start(self, stack: AsyncExitStack) -> None:
        """Starts all of them."""
        for part in (*self._gateways, self.feed):
            await part._bus.start()  # type: ignore[attr-defined]
            await part.start()
            stack.push_async_callback(part.stop)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        made = World()
        await made.start(stack)
        yield made


async def test_who_looks_at_any_gateway_is_found_and_who_is_away_is_not(world: World) -> None:
    here, there = world.hubs
    look(here, ROOM, 1)
    look(here, ROOM, 2, is_away=True)
    look(there, ROOM, 3)
    look(there, OTHER, 4)
    # Away here, but not there.
    look(here, OTHER, 5, is_away=True)
    look(there, OTHER, 5)
    found = await world.feed.ask({ROOM: [1, 2, 3, 4], OTHER: [1, 5], "nowhere": [1]})
    assert found == ({(ROOM, 1), (ROOM, 3), (OTHER, 5)}, True)
    assert await world.feed.ask({OTHER: [4]}) == ({(OTHER, 4)}, True)


async def test_a_gateway_that_does_not_answer_holds_up_for_a_moment_only(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewers, "ANSWER_S", 0.05)
    look(world.hubs[0], ROOM, 1)
    answers = []

    def drops(channel: str, payload: bytes) -> bool:
        answers.append(channel)
        return answers.count("viewers:feed-1") == 2

    world.broker.drops = drops
    assert await world.feed.ask({ROOM: [1, 2]}) == ({(ROOM, 1)}, False)
    world.broker.drops = lambda channel, payload: False
    assert await world.feed.ask({ROOM: [1, 2]}) == ({(ROOM, 1)}, True)


async def test_without_gateways_nobody_looks() -> None:
    async with AsyncExitStack() as stack:
        bus = MemoryBus(MemoryBroker(), "feed-1")
        await bus.start()
        feed = Asking(bus)
        await feed.start()
        stack.push_async_callback(feed.stop)
        assert await feed.ask({ROOM: [1]}) == (set(), True)
