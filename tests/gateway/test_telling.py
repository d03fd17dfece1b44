"""How sockets are told: at once after a quiet time, else gathered, and never more than a frame at a time."""

from __future__ import annotations

import asyncio

import pytest

from gateway import telling
from gateway.connection import MAX_BUFFERED_EPHEMERAL_BYTES, Connection
from gateway.sight import Person, Sight
from gateway.telling import USERS_PER_FRAME, Telling
from tests.gateway.presence_world import flat, told
from tests.gateway.world import NotingTransport, make_connection
from tests.waiting import until

INTERVAL_S = 0.2


async def turn() -> None:
    """What is logged now wakes the sockets, their turn comes, and is taken."""
    for _ in range(3):
        await asyncio.sleep(0)


class Scene:
    """One socket that sees some people."""

    def __init__(self, people: int) -> None:
        self.tells = True
        self.telling = Telling(lambda user_id: self.tells)
        self.connection, self.transport = make_connection(1)
        self.sight = Sight()
        self.sight.listeners[self.connection] = 0
        self.people = [Person(user_id) for user_id in range(10, 10 + people)]
        for person in self.people:
            person.sights.add(self.sight)

    def become(self, index: int, status: str) -> None:
        person = self.people[index]
        assert person.become(status, 1_764_153_000_123, 1_764_153_000_000, hides=False)
        self.telling.log(self.sight, person)


@pytest.fixture(autouse=True)
def short_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "INTERVAL_S", INTERVAL_S)
    monkeypatch.setattr(telling, "SPREAD_S", INTERVAL_S / 10)
    monkeypatch.setattr(telling, "WAKE_S", INTERVAL_S / 10)


async def test_the_first_change_goes_out_at_once_and_the_next_are_gathered() -> None:
    scene, loop = Scene(3), asyncio.get_running_loop()
    scene.become(0, "online")
    await turn()
    assert told(scene.transport) == [[(10, "online")]]
    begun = loop.time()
    scene.become(1, "online")
    scene.become(2, "away")
    scene.become(1, "away")
    await until(lambda: len(told(scene.transport)) == 2)
    # Of each only how he is in the end, who changed last comes last.
    assert told(scene.transport)[1] == [(12, "away"), (11, "away")]
    assert loop.time() - begun >= INTERVAL_S * 0.9
    await asyncio.sleep(INTERVAL_S * 1.3)
    scene.become(0, "offline")
    await turn()
    assert told(scene.transport)[2] == [(10, "offline")]


async def test_what_one_turn_brings_is_one_frame() -> None:
    scene = Scene(2)
    scene.become(0, "online")
    scene.become(1, "online")
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
    scene.sight.listeners[scene.connection] = None
    scene.become(0, "online")
    await turn()
    scene.sight.listeners[scene.connection] = scene.sight.last
    scene.become(1, "online")
    await until(lambda: told(scene.transport))
    assert flat(scene.transport) == [(11, "online")]


async def test_what_one_hears_of_by_two_ways_is_told_once_and_nothing_of_oneself() -> None:
    scene = Scene(3)
    own = Person(1)
    own.sights.add(scene.sight)
    scene.people.append(own)
    scene.people[0].watchers.add(scene.connection)
    for index in range(4):
        scene.become(index, "online")
    scene.telling.note(scene.connection, scene.people[0])
    scene.telling.note(scene.connection, own)
    await turn()
    assert told(scene.transport) == [[(10, "online"), (11, "online"), (12, "online")]]
    # A frame that would have told nothing is no frame after which to wait.
    await asyncio.sleep(INTERVAL_S * 1.3)
    scene.become(3, "away")
    await asyncio.sleep(2 * telling.WAKE_S)
    scene.become(0, "away")
    await asyncio.sleep(2 * telling.WAKE_S)
    assert told(scene.transport)[1:] == [[(10, "away")]]


async def test_those_who_look_at_several_conversations_get_a_hundred_of_all_of_them() -> None:
    scene, other = Scene(USERS_PER_FRAME - 10), Sight()
    other.listeners[scene.connection] = 0
    more = [Person(user_id) for user_id in range(1_000, 1_020)]
    for index in range(len(scene.people)):
        scene.become(index, "online")
    for person in more:
        person.sights.add(other)
        person.become("online", 0, None, hides=False)
        scene.telling.log(other, person)
    await until(lambda: len(told(scene.transport)) == 2)
    assert [len(rows) for rows in told(scene.transport)] == [USERS_PER_FRAME, 10]
    assert len(set(flat(scene.transport))) == USERS_PER_FRAME + 10


async def test_a_frame_holds_a_hundred_and_the_rest_follows() -> None:
    scene = Scene(2 * USERS_PER_FRAME + 1)
    for index in range(len(scene.people)):
        scene.become(index, "online")
    await until(lambda: len(told(scene.transport)) == 3)
    assert [len(rows) for rows in told(scene.transport)] == [USERS_PER_FRAME, USERS_PER_FRAME, 1]


async def test_many_sockets_are_told_in_several_turns() -> None:
    scene = Scene(1)
    others = [make_connection(user) for user in range(1_000, 1_000 + 4 * telling.FLUSHED_AT_ONCE)]
    scene.sight.listeners |= {connection: 0 for connection, _ in others}
    scene.become(0, "online")
    await turn()
    assert sum(bool(told(transport)) for _, transport in others) < 2 * telling.FLUSHED_AT_ONCE
    await until(lambda: all(flat(transport) == [(10, "online")] for _, transport in others))


async def test_a_log_stays_short_however_often_people_change() -> None:
    scene = Scene(5)
    for number in range(2_000):
        scene.sight.log(scene.people[number % 3])
    scene.sight.log(scene.people[4])
    scene.sight.drop(scene.people[0])
    assert len(vars_of(scene.sight, "_people")) < 200
    assert scene.sight.news(scene.connection, 2) == [scene.people[2], scene.people[1]]
    assert scene.sight.news(scene.connection, 2) == [scene.people[4]]
    assert scene.sight.news(scene.connection, 2) == []
    scene.sight.log(scene.people[0])
    assert scene.sight.news(scene.connection, 2) == [scene.people[0]]


def vars_of(thing: object, name: str) -> list[object]:
    found: list[object] = getattr(thing, name)
    return found


async def test_who_reads_slowly_is_told_later_how_all_are_then() -> None:
    scene = Scene(1)
    scene.transport.buffered = MAX_BUFFERED_EPHEMERAL_BYTES + 1
    scene.become(0, "online")
    await turn()
    scene.become(0, "away")
    await asyncio.sleep(INTERVAL_S * 1.5)
    assert told(scene.transport) == []
    scene.transport.buffered = 0
    await until(lambda: told(scene.transport))
    assert flat(scene.transport) == [(10, "away")]


async def test_who_is_not_seen_any_more_is_not_told_though_it_was_noted() -> None:
    scene = Scene(3)
    for index in range(3):
        scene.become(index, "online")
    scene.telling.note(scene.connection, scene.people[1])
    for person in scene.people[:2]:
        person.sights.clear()
        scene.sight.drop(person)
    await turn()
    assert flat(scene.transport) == [(12, "online")]


async def test_a_socket_that_is_gone_is_told_nothing() -> None:
    scene = Scene(1)
    scene.become(0, "online")
    scene.sight.listeners.clear()
    scene.telling.forget(scene.connection)
    scene.telling.forget(scene.connection)
    await asyncio.sleep(0.01)
    assert told(scene.transport) == []


async def test_a_socket_that_goes_when_its_turn_is_near_is_told_nothing() -> None:
    scene = Scene(1)
    scene.become(0, "online")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    scene.sight.listeners.clear()
    scene.telling.forget(scene.connection)
    scene.people[0].watchers.add(scene.connection)
    await turn()
    assert told(scene.transport) == []


@pytest.mark.parametrize(("hides", "tells"), [(False, True), (True, True), (False, False)])
async def test_last_seen_is_told_between_those_who_tell_theirs(hides: bool, tells: bool) -> None:
    scene = Scene(2)
    scene.tells = tells
    for person in scene.people:
        person.become("online", 0, None, hides=hides)
        person.become("offline", 1_764_153_000_123, 1_764_153_000_000, hides=hides)
    seen = "2025-11-26T10:30:00.000Z" if tells and not hides else None
    scene.telling.note(scene.connection, scene.people[0])
    await turn()
    [frame] = scene.transport.frames()
    assert frame.pop("timestamp") == "2025-11-26T10:30:00.123Z"
    assert frame.get("last_seen_at") == seen
    for person in scene.people:
        scene.telling.note(scene.connection, person)
    await until(lambda: len(scene.transport.frames()) == 2)
    assert [row["last_seen_at"] for row in scene.transport.frames()[1]["users"]] == [seen, seen]


async def test_the_same_person_is_described_once_for_all_who_hear_of_him() -> None:
    scene = Scene(1)
    others: list[tuple[Connection, NotingTransport]] = [make_connection(user) for user in (2, 3)]
    scene.sight.listeners |= {connection: 0 for connection, _ in others}
    scene.become(0, "online")
    assert scene.people[0].row(with_seen=True) is scene.people[0].row(with_seen=True)
    await until(lambda: all(flat(transport) == [(10, "online")] for _, transport in others))
