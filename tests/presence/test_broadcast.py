"""Tests what is published about transitions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from messenger_shared.bus import channels
from messenger_shared.bus.memory_bus import MemoryBroker, MemoryBus
from messenger_shared.contract import presence_states
from messenger_shared.contract.presence_states import AWAY, OFFLINE, ONLINE, Change
from presence.broadcast import USERS_PER_MESSAGE, Broadcast
from presence.ports import Transition
from tests.waiting import LIMIT_S

AT_MS = 1_764_153_000_123
SEEN_MS = 1_764_152_985_000
AT, SEEN = "2025-11-26T10:30:00.123Z", "2025-11-26T10:29:45.000Z"


def transition(user_id: int, status: str, *, hides: bool = False) -> Transition:
    return Transition(5, user_id, status, AT_MS, SEEN_MS, hides)


class ChannelReader:
    """Listens on channels of a second bus beside the one that broadcasts."""

    def __init__(self, speaker: MemoryBus, listener: MemoryBus) -> None:
        self.broadcast = Broadcast(speaker, publish_online_status=True)
        self.silent = Broadcast(speaker, publish_online_status=False)
        self._bus = listener
        self._heard: asyncio.Queue[bytes] = asyncio.Queue(maxsize=500)

    async def listen(self, *names: str) -> None:
        await self._bus.subscribe(names, self._heard.put_nowait)

    async def take(self, messages: int) -> list[bytes]:
        """Returns the next `messages` bus messages, and checks that no more follow."""
        async with asyncio.timeout(LIMIT_S):
            taken = [await self._heard.get() for _ in range(messages)]
        assert self._heard.empty()
        return taken


@pytest.fixture
async def reader() -> AsyncIterator[ChannelReader]:
    broker = MemoryBroker()
    speaker, listener = MemoryBus(broker, "presence-1"), MemoryBus(broker, "gateway-1")
    await speaker.start()
    await listener.start()
    yield ChannelReader(speaker, listener)
    await listener.stop()
    await speaker.stop()


@pytest.mark.parametrize(
    ("status", "hides", "seen_ms"),
    [
        (ONLINE, False, None),
        (AWAY, False, None),
        (OFFLINE, False, SEEN_MS),
        (OFFLINE, True, None),
    ],
)
async def test_those_who_watch_a_user_are_told_how_he_is(
    reader: ChannelReader, status: str, hides: bool, seen_ms: int | None
) -> None:
    await reader.listen(channels.presence(7))
    reader.broadcast.publish([transition(8, ONLINE), transition(7, status, hides=hides)])
    [received] = await reader.take(1)
    assert presence_states.unpack(received) == [Change(5, 7, status, AT_MS, seen_ms, hides)]


async def test_feeds_are_told_of_everybody(reader: ChannelReader) -> None:
    await reader.listen(channels.PRESENCE_ALL)
    reader.silent.publish([transition(7, ONLINE), transition(8, OFFLINE), transition(9, OFFLINE, hides=True)])
    [received] = await reader.take(1)
    assert presence_states.unpack(received) == [
        Change(5, 7, ONLINE, AT_MS, None, False),
        Change(5, 8, OFFLINE, AT_MS, SEEN_MS, False),
        Change(5, 9, OFFLINE, AT_MS, None, True),
    ]


@pytest.mark.parametrize(
    ("published", "fields"),
    [
        (transition(7, ONLINE), {"type": "user.online"}),
        (transition(7, AWAY), {"type": "user.away"}),
        (transition(7, OFFLINE), {"type": "user.offline", "last_seen_at": SEEN}),
        (transition(7, OFFLINE, hides=True), {"type": "user.offline"}),
    ],
)
async def test_operators_get_the_frame_that_a_client_would_get(
    reader: ChannelReader, published: Transition, fields: dict[str, Any]
) -> None:
    await reader.listen(channels.ONLINE_STATUS)
    reader.broadcast.publish([published])
    [received] = await reader.take(1)
    assert orjson.loads(received) == {"user_id": 7, "timestamp": AT, **fields}


async def test_many_transitions_are_gathered_for_operators(reader: ChannelReader) -> None:
    await reader.listen(channels.ONLINE_STATUS)
    users = range(1, USERS_PER_MESSAGE + 3)
    reader.broadcast.publish([transition(user, OFFLINE if user % 2 else ONLINE) for user in users])
    frames = [orjson.loads(received) for received in await reader.take(2)]
    assert [frame["type"] for frame in frames] == ["presence.batch"] * 2
    rows = frames[0]["users"] + frames[1]["users"]
    assert [row["user_id"] for row in rows] == list(users)
    assert rows[0] == {"user_id": 1, "status": OFFLINE, "last_seen_at": SEEN}
    assert rows[1] == {"user_id": 2, "status": ONLINE, "last_seen_at": None}
    assert len(frames[0]["users"]) == USERS_PER_MESSAGE


async def test_operators_are_told_nothing_where_they_want_nothing(reader: ChannelReader) -> None:
    await reader.listen(channels.ONLINE_STATUS, channels.presence(7))
    reader.silent.publish([transition(7, ONLINE)])
    [received] = await reader.take(1)
    assert presence_states.unpack(received)[0].user_id == 7


async def test_what_only_repeats_how_a_user_is_goes_to_those_alone_who_watch_him(
    reader: ChannelReader,
) -> None:
    await reader.listen(channels.ONLINE_STATUS, channels.presence(7))
    reader.broadcast.republish(transition(7, OFFLINE))
    [received] = await reader.take(1)
    assert presence_states.unpack(received) == [Change(5, 7, OFFLINE, AT_MS, None, False)]


async def test_gateways_are_asked_to_report(reader: ChannelReader) -> None:
    await reader.listen(channels.REPORTS)
    reader.broadcast.request_reports()
    assert await reader.take(1) == [b""]


@pytest.mark.parametrize("payload", [b"", b"[[1,2]]", b"[1]", b"nonsense"])
def test_what_is_no_change_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"malformed|JSON|unexpected|expected|empty"):
        presence_states.unpack(payload)
