"""Webhooks that ask for it hear who came online and who went offline, and nothing certain waits for it."""

from __future__ import annotations

import pytest

from chat_api.feed.webhooks import metrics, presence
from messenger_shared.bus import channels
from messenger_shared.bus.memory_bus import MemoryBus
from messenger_shared.contract.events import MESSAGE_NEW, USER_OFFLINE, USER_ONLINE
from messenger_shared.contract.presence_states import AWAY, OFFLINE, ONLINE
from messenger_shared.postgres.database import Database
from presence.broadcast import Broadcast
from presence.ports import Transition
from tests.integration.delivering import (
    LATE,
    NAME,
    Feed,
    Receiver,
    World,
    is_disabled,
    make_webhook,
    receiving,
)
from tests.integration.indexing import Room
from tests.waiting import eventually, until

AT, SEEN = "2025-11-26T10:30:00.123Z", "2025-11-26T10:29:45.000Z"
BOTH = (USER_ONLINE, USER_OFFLINE)


def transition(version: int, user_id: int, status: str, *, hides: bool = False) -> Transition:
    return Transition(version, user_id, status, 1_764_153_000_123, 1_764_152_985_000, hides)


@pytest.fixture
async def broadcast(world: World) -> Broadcast:
    """How presence publishes, on the bus of the feeds."""
    bus = MemoryBus(world.broker, "presence")
    await bus.start()
    return Broadcast(bus, publish_online_status=False)


def is_listening(feed: Feed) -> bool:
    return channels.PRESENCE_ALL in feed.bus.handlers


def dropped(reason: str) -> float:
    return metrics.PRESENCE_DROPPED.labels(NAME, reason)._value.get()


async def test_only_webhooks_that_ask_for_it_hear_of_users(
    world: World, receiver: Receiver, database: Database, broadcast: Broadcast
) -> None:
    async with receiving() as other, world.feed() as feed:
        await make_webhook(database, other, name="other")
        await until(lambda: feed.supervisor._dispatchers)
        assert not is_listening(feed)
        await make_webhook(database, receiver, MESSAGE_NEW, *BOTH)
        await until(lambda: is_listening(feed))
        broadcast.publish([transition(5, 7, ONLINE), transition(5, 8, AWAY)])
        await until(lambda: len(receiver.deliveries) == 1)
        broadcast.publish([transition(6, 7, OFFLINE)])
        await until(lambda: len(receiver.deliveries) == 2)
        broadcast.publish([transition(7, 7, OFFLINE, hides=True)])
        await until(lambda: len(receiver.deliveries) == 3)
        await make_webhook(database, receiver, MESSAGE_NEW)
        await until(lambda: not is_listening(feed))
    assert [d.id for d in receiver.deliveries] == [f"evt_presence_7_{version}" for version in (5, 6, 7)]
    online, offline, hidden = [d.body for d in receiver.deliveries]
    data = {"user_id": 7, "timestamp": AT}
    assert online == {"type": USER_ONLINE, "timestamp": AT, "data": data, "ordered": False}
    assert offline == {**online, "type": USER_OFFLINE, "data": {**data, "last_seen_at": SEEN}}
    assert hidden == {**online, "type": USER_OFFLINE}
    assert other.deliveries == []
    assert await world.webhooks.attempts(NAME, 2**63 - 1, 10) == []


async def test_a_receiver_that_is_slow_with_users_gets_the_rest_at_once(
    world: World,
    receiver: Receiver,
    rooms: list[Room],
    broadcast: Broadcast,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(presence, "WAITING_MAX", 10)
    receiver.plan = lambda body: LATE if body["type"] in BOTH else 204
    await make_webhook(world.database, receiver, MESSAGE_NEW, *BOTH)
    async with world.feed() as feed:
        await until(lambda: is_listening(feed))
        before = dropped(presence.FULL)
        broadcast.publish([transition(5, user, ONLINE) for user in range(1, 31)])
        await until(lambda: receiver.at_once == presence.PRESENCE_LANES)
        # Nobody had taken one yet when they came.
        assert dropped(presence.FULL) - before == 30 - 10
        await rooms[0].send(*(str(number) for number in range(40)))
        feed.notice(rooms[0].id)
        await until(lambda: len(receiver.taken.get(rooms[0].id, [])) == 40)
        assert receiver.most_at_once <= presence.PRESENCE_LANES + 1
        assert not [d for d in receiver.deliveries if d.body["type"] in BOTH and d.answered == 204]


async def test_a_transition_is_tried_a_few_times_and_then_dropped(
    world: World, receiver: Receiver, broadcast: Broadcast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "DELAYS_S", (0.0, 0.0))
    answers = {7: [500, 500, 204], 8: [500] * 9, 9: [503] * 9, 10: [410]}
    receiver.plan = lambda body: answers[body["data"]["user_id"]].pop(0)
    await make_webhook(world.database, receiver, *BOTH)
    async with world.feed() as feed:
        await until(lambda: is_listening(feed))
        before = dropped(presence.FAILED)
        for user, attempts in ((7, 3), (8, 3)):
            broadcast.publish([transition(5, user, ONLINE)])
            await until(lambda user=user, n=attempts: _attempts(receiver, user) == n)  # type: ignore[misc]
        await until(lambda: dropped(presence.FAILED) == before + 1)
        # Asked for peace that is longer than it is worth: neither this one nor the next is posted.
        receiver.headers = {"Retry-After": "3600"}
        broadcast.publish([transition(5, 9, ONLINE)])
        await until(lambda: dropped(presence.FAILED) == before + 2)
        broadcast.publish([transition(5, 10, ONLINE)])
        await until(lambda: dropped(presence.FAILED) == before + 3)
    assert [_attempts(receiver, user) for user in (7, 8, 9, 10)] == [3, 3, 1, 0]
    async with world.feed() as feed:
        await until(lambda: is_listening(feed))
        broadcast.publish([transition(6, 10, ONLINE)])
        await eventually(lambda: is_disabled(world))


def _attempts(receiver: Receiver, user_id: int) -> int:
    return sum(d.body["data"]["user_id"] == user_id for d in receiver.deliveries)
