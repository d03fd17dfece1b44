"""The presence fan-out: at once after a quiet time, else collected, with one frame per interval at most."""

from __future__ import annotations

import asyncio

import pytest

from gateway.connections.connection import MAX_BUFFERED_EPHEMERAL_BYTES, Connection
from gateway.presence import fan_out
from gateway.presence.entries import UserPresence, ViewedConversation
from gateway.presence.fan_out import USERS_PER_FRAME, PresenceFanOut
from tests.gateway.presence_world import presence_changes, presence_frames
from tests.gateway.world import RecordingTransport, make_connection
from tests.waiting import until

INTERVAL_S = 0.2


async def turn() -> None:
    """Lets logged changes reach the sockets: they are woken, get their turn, and use it."""
    for _ in range(3):
        await asyncio.sleep(0)


class Scene:
    """One socket that sees a few users."""

    def __init__(self, users: int) -> None:
        self.shows_last_seen = True
        self.fan_out = PresenceFanOut(lambda user_id: self.shows_last_seen)
        self.connection, self.transport = make_connection(1)
        self.viewed = ViewedConversation()
        self.viewed.listeners[self.connection] = 0
        self.users = [UserPresence(user_id) for user_id in range(10, 10 + users)]
        for user in self.users:
            user.viewed_in.add(self.viewed)

    def update(self, index: int, status: str) -> None:
        user = self.users[index]
        assert user.update(status, 1_764_153_000_123, 1_764_153_000_000, hides=False)
        self.fan_out.queue_for_viewers(self.viewed, user)


@pytest.fixture(autouse=True)
def short_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fan_out, "FRAME_INTERVAL_S", INTERVAL_S)
    monkeypatch.setattr(fan_out, "JITTER_S", INTERVAL_S / 10)
    monkeypatch.setattr(fan_out, "PASS_INTERVAL_S", INTERVAL_S / 10)


async def test_the_first_change_goes_out_at_once_and_the_next_are_gathered() -> None:
    scene, loop = Scene(3), asyncio.get_running_loop()
    begun = loop.time()
    scene.update(0, "online")
    await turn()
    assert presence_frames(scene.transport) == [[(10, "online")]]
    scene.update(1, "online")
    scene.update(2, "away")
    scene.update(1, "away")
    await until(lambda: len(presence_frames(scene.transport)) == 2)
    # Only the last state of each user; the user who changed last comes last.
    assert presence_frames(scene.transport)[1] == [(12, "away"), (11, "away")]
    assert loop.time() - begun >= INTERVAL_S * 0.9
    await asyncio.sleep(INTERVAL_S * 1.3)
    scene.update(0, "offline")
    await turn()
    assert presence_frames(scene.transport)[2] == [(10, "offline")]


async def test_what_one_turn_brings_is_one_frame() -> None:
    scene = Scene(2)
    scene.update(0, "online")
    scene.update(1, "online")
    await turn()
    assert scene.transport.frames() == [
        {
            "type": "presence.batch",
            "users": [
                {"user_id": 10, "status": "online", "last_seen_at": None},
                {"user_id": 11, "status": "online", "last_seen_at": None},
            ],
        }
    ]


async def test_a_socket_that_waits_for_its_answer_is_told_from_there_on() -> None:
    scene = Scene(2)
    scene.viewed.listeners[scene.connection] = None
    scene.update(0, "online")
    await turn()
    scene.viewed.listeners[scene.connection] = scene.viewed.last_number
    scene.update(1, "online")
    await until(lambda: presence_frames(scene.transport))
    assert presence_changes(scene.transport) == [(11, "online")]


async def test_what_one_hears_of_by_two_ways_is_told_once_and_nothing_of_oneself() -> None:
    scene = Scene(3)
    own = UserPresence(1)
    own.viewed_in.add(scene.viewed)
    scene.users.append(own)
    scene.users[0].watchers.add(scene.connection)
    for index in range(4):
        scene.update(index, "online")
    scene.fan_out.queue(scene.connection, scene.users[0])
    scene.fan_out.queue(scene.connection, own)
    await turn()
    assert presence_frames(scene.transport) == [[(10, "online"), (11, "online"), (12, "online")]]
    # A frame without news isn't sent, so the next one needn't wait for the interval.
    await asyncio.sleep(INTERVAL_S * 1.3)
    scene.update(3, "away")
    await asyncio.sleep(2 * fan_out.PASS_INTERVAL_S)
    scene.update(0, "away")
    await asyncio.sleep(2 * fan_out.PASS_INTERVAL_S)
    # On a busy machine both times end together; the pass comes first.
    await turn()
    assert presence_frames(scene.transport)[1:] == [[(10, "away")]]


async def test_those_who_look_at_several_conversations_get_a_hundred_of_all_of_them() -> None:
    scene, other = Scene(USERS_PER_FRAME - 10), ViewedConversation()
    other.listeners[scene.connection] = 0
    more = [UserPresence(user_id) for user_id in range(1_000, 1_020)]
    for index in range(len(scene.users)):
        scene.update(index, "online")
    for user in more:
        user.viewed_in.add(other)
        user.update("online", 0, None, hides=False)
        scene.fan_out.queue_for_viewers(other, user)
    await until(lambda: len(presence_frames(scene.transport)) == 2)
    assert [len(rows) for rows in presence_frames(scene.transport)] == [USERS_PER_FRAME, 10]
    assert len(set(presence_changes(scene.transport))) == USERS_PER_FRAME + 10


async def test_a_frame_holds_a_hundred_and_the_rest_follows() -> None:
    scene = Scene(2 * USERS_PER_FRAME + 1)
    for index in range(len(scene.users)):
        scene.update(index, "online")
    await until(lambda: len(presence_frames(scene.transport)) == 3)
    assert [len(rows) for rows in presence_frames(scene.transport)] == [USERS_PER_FRAME, USERS_PER_FRAME, 1]


async def test_many_sockets_are_told_in_several_turns() -> None:
    scene = Scene(1)
    others = [make_connection(user) for user in range(1_000, 1_000 + 4 * fan_out.FLUSHES_PER_TURN)]
    scene.viewed.listeners |= {connection: 0 for connection, _ in others}
    scene.update(0, "online")
    await turn()
    assert sum(bool(presence_frames(transport)) for _, transport in others) < 2 * fan_out.FLUSHES_PER_TURN
    await until(lambda: all(presence_changes(transport) == [(10, "online")] for _, transport in others))


async def test_a_log_stays_short_however_often_people_change() -> None:
    scene = Scene(5)
    for number in range(2_000):
        scene.viewed.log_change(scene.users[number % 3])
    scene.viewed.log_change(scene.users[4])
    scene.viewed.drop(scene.users[0])
    assert len(attribute_of(scene.viewed, "_users")) < 200
    assert scene.viewed.take_unsent(scene.connection, 2) == [scene.users[2], scene.users[1]]
    assert scene.viewed.take_unsent(scene.connection, 2) == [scene.users[4]]
    assert scene.viewed.take_unsent(scene.connection, 2) == []
    scene.viewed.log_change(scene.users[0])
    assert scene.viewed.take_unsent(scene.connection, 2) == [scene.users[0]]


def attribute_of(thing: object, name: str) -> list[object]:
    found: list[object] = getattr(thing, name)
    return found


async def test_who_reads_slowly_is_told_later_how_all_are_then() -> None:
    scene = Scene(1)
    scene.transport.buffered = MAX_BUFFERED_EPHEMERAL_BYTES + 1
    scene.update(0, "online")
    await turn()
    scene.update(0, "away")
    await asyncio.sleep(INTERVAL_S * 1.5)
    assert presence_frames(scene.transport) == []
    scene.transport.buffered = 0
    await until(lambda: presence_frames(scene.transport))
    assert presence_changes(scene.transport) == [(10, "away")]


async def test_who_is_not_seen_any_more_is_not_told_though_it_was_noted() -> None:
    scene = Scene(3)
    for index in range(3):
        scene.update(index, "online")
    scene.fan_out.queue(scene.connection, scene.users[1])
    for user in scene.users[:2]:
        user.viewed_in.clear()
        scene.viewed.drop(user)
    await turn()
    assert presence_changes(scene.transport) == [(12, "online")]


async def test_a_socket_that_is_gone_is_told_nothing() -> None:
    scene = Scene(1)
    scene.update(0, "online")
    scene.viewed.listeners.clear()
    scene.fan_out.drop(scene.connection)
    scene.fan_out.drop(scene.connection)
    await asyncio.sleep(0.01)
    assert presence_frames(scene.transport) == []


async def test_a_socket_that_goes_when_its_turn_is_near_is_told_nothing() -> None:
    scene = Scene(1)
    scene.update(0, "online")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    scene.viewed.listeners.clear()
    scene.fan_out.drop(scene.connection)
    scene.users[0].watchers.add(scene.connection)
    await turn()
    assert presence_frames(scene.transport) == []


@pytest.mark.parametrize(("hides", "shows_last_seen"), [(False, True), (True, True), (False, False)])
async def test_last_seen_is_told_between_those_who_tell_theirs(hides: bool, shows_last_seen: bool) -> None:
    scene = Scene(2)
    scene.shows_last_seen = shows_last_seen
    for user in scene.users:
        user.update("online", 0, None, hides=hides)
        user.update("offline", 1_764_153_000_123, 1_764_153_000_000, hides=hides)
    seen = "2025-11-26T10:30:00.000Z" if shows_last_seen and not hides else None
    scene.fan_out.queue(scene.connection, scene.users[0])
    await turn()
    [frame] = scene.transport.frames()
    assert frame.pop("timestamp") == "2025-11-26T10:30:00.123Z"
    assert frame.get("last_seen_at") == seen
    for user in scene.users:
        scene.fan_out.queue(scene.connection, user)
    await until(lambda: len(scene.transport.frames()) == 2)
    assert [row["last_seen_at"] for row in scene.transport.frames()[1]["users"]] == [seen, seen]


async def test_the_same_person_is_described_once_for_all_who_hear_of_him() -> None:
    scene = Scene(1)
    others: list[tuple[Connection, RecordingTransport]] = [make_connection(user) for user in (2, 3)]
    scene.viewed.listeners |= {connection: 0 for connection, _ in others}
    scene.update(0, "online")
    assert scene.users[0].row(with_seen=True) is scene.users[0].row(with_seen=True)
    await until(lambda: all(presence_changes(transport) == [(10, "online")] for _, transport in others))
