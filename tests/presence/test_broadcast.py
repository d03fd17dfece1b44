"""Owns the tests of what the world is told about transitions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest

from messenger_shared import channels, events
from messenger_shared.events import Event
from messenger_shared.memory_bus import MemoryBroker, MemoryBus
from presence.broadcast import EVENTS_PER_MESSAGE, Broadcast
from presence.ports import Transition

DEADLINE_S = 5
AT_MS = 1_764_153_000_123
SEEN_MS = 1_764_152_985_000


class Ear:
    """Listens on channels of a bus of its own, beside the one that broadcasts."""

    def __init__(self, broadcast: Broadcast, bus: MemoryBus) -> None:
        self.broadcast = broadcast
        self._bus = bus
        self._heard: asyncio.Queue[list[Event]] = asyncio.Queue(maxsize=10)

    async def listen(self, *names: str) -> None:
        await self._bus.subscribe(names, lambda payload: self._heard.put_nowait(events.unpack(payload)))

    async def take(self, messages: int) -> list[list[Event]]:
        """The next `messages` bus messages, and that there are no more."""
        async with asyncio.timeout(DEADLINE_S):
            taken = [await self._heard.get() for _ in range(messages)]
        assert self._heard.empty()
        return taken


@pytest.fixture
async def ear() -> AsyncIterator[Ear]:
    broker = MemoryBroker()
    speaker, listener = MemoryBus(broker, "presence-1"), MemoryBus(broker, "gateway-1")
    await speaker.start()
    await listener.start()
    yield Ear(Broadcast(speaker), listener)
    await listener.stop()
    await speaker.stop()


async def test_user_online_goes_to_operators_and_to_those_who_watch_the_user(ear: Ear) -> None:
    await ear.listen(channels.ONLINE_STATUS, channels.presence(7))
    ear.broadcast.tell([Transition(7, True, AT_MS, AT_MS)])
    [everywhere], [watched] = await ear.take(2)
    assert everywhere == watched
    assert watched[:4] == (events.USER_ONLINE, "", 0, 7)
    assert orjson.loads(watched.frame) == {
        "type": "user.online",
        "user_id": 7,
        "timestamp": "2025-11-26T10:30:00.123Z",
    }


async def test_user_offline_says_when_the_user_was_last_seen(ear: Ear) -> None:
    await ear.listen(channels.presence(7))
    ear.broadcast.tell([Transition(7, False, AT_MS, SEEN_MS)])
    [[event]] = await ear.take(1)
    assert event[:4] == (events.USER_OFFLINE, "", 0, 7)
    assert orjson.loads(event.frame) == {
        "type": "user.offline",
        "user_id": 7,
        "timestamp": "2025-11-26T10:30:00.123Z",
        "last_seen_at": "2025-11-26T10:29:45.000Z",
    }


async def test_nobody_hears_of_a_user_that_is_not_watched(ear: Ear) -> None:
    await ear.listen(channels.presence(7))
    ear.broadcast.tell([Transition(8, True, AT_MS, AT_MS), Transition(7, True, AT_MS, AT_MS)])
    [[event]] = await ear.take(1)
    assert event.user_id == 7


async def test_many_transitions_are_gathered_for_operators(ear: Ear) -> None:
    await ear.listen(channels.ONLINE_STATUS)
    users = list(range(1, EVENTS_PER_MESSAGE + 2))
    ear.broadcast.tell([Transition(user, True, AT_MS, AT_MS) for user in users])
    first, second = await ear.take(2)
    assert [event.user_id for event in first + second] == users
    assert len(first) == EVENTS_PER_MESSAGE
