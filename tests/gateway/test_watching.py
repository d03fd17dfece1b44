"""Who sees whom, against a presence in memory: what is lost is found, and who may not see sees nothing."""

from __future__ import annotations

import asyncio

import pytest

from gateway import people, watching
from gateway.watching import Move
from messenger_shared import channels
from messenger_shared.errors import AppError
from presence.ports import Choice
from tests.gateway.presence_world import ELSEWHERE, ROOM, PresenceWorld, flat, told
from tests.presence.stores import NO_GRACE, full, load
from tests.waiting import until

World = PresenceWorld
A_WHILE_S = 0.1


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "COMPARE_AGAIN_S", 0.02)
    monkeypatch.setattr(watching, "RECHECK_S", 0.02)


async def test_who_looks_sees_who_is_there_and_what_changes(seen_world: World) -> None:
    await seen_world.presence.come(2)
    connection, transport = seen_world.connect(1)
    assert await seen_world.look(connection, 1, 2, 3, 4) == [1, 2]
    await seen_world.presence.come(3)
    await until(lambda: flat(transport) == [(3, "online")])
    await seen_world.presence.go(2)
    await until(lambda: flat(transport)[1:] == [(2, "offline")])
    assert transport.frames()[-1]["last_seen_at"]
    await seen_world.presence.come(5)
    seen_world.watching.unview(connection, ROOM)
    await seen_world.presence.go(3)
    await asyncio.sleep(A_WHILE_S)
    assert len(flat(transport)) == 2


async def test_who_is_away_is_among_those_who_are_there_and_the_next_frame_says_so(
    seen_world: World,
) -> None:
    await seen_world.presence.go_away(2)
    connection, transport = seen_world.connect(1)
    assert await seen_world.look(connection, 2) == [1, 2]
    await until(lambda: flat(transport) == [(2, "away")])


async def test_a_lost_change_is_found_by_comparing_with_when_he_was_last_there(seen_world: World) -> None:
    await seen_world.presence.come(2)
    connection, transport = seen_world.connect(1)
    await seen_world.look(connection, 2, 3)
    seen_world.broker.drops = lambda channel, _: channel.startswith("presence:")
    await seen_world.presence.go(2)
    await seen_world.presence.come(3)
    await asyncio.sleep(A_WHILE_S)
    assert flat(transport) == []
    seen_world.people.compare_soon()
    await until(lambda: sorted(flat(transport)) == [(2, "offline"), (3, "online")])
    gone = [row for frame in transport.frames() for row in frame.get("users", [frame])]
    assert any(row["user_id"] == 2 and row["last_seen_at"] for row in gone)


async def test_who_looks_at_the_same_people_costs_no_question_more(seen_world: World) -> None:
    await seen_world.presence.come(2)
    sockets = [seen_world.connect(user) for user in (1, 1, 3)]
    looks = (seen_world.look(connection, 1, 2, 3) for connection, _ in sockets)
    assert await asyncio.gather(*looks) == [[1, 2], [1, 2], [2, 3]]
    assert seen_world.presence.asked.count("presence.states") == 1
    late, transport = seen_world.connect(1)
    assert await seen_world.look(late, 1, 2, 3) == [1, 2]
    assert seen_world.presence.asked.count("presence.states") == 1
    # What is in the answer isn't told besides.
    await asyncio.sleep(A_WHILE_S)
    assert [flat(each) for each in (*(transport for _, transport in sockets), transport)] == [[]] * 4


async def test_what_happens_elsewhere_while_a_socket_waits_for_an_answer_is_told(
    seen_world: World,
) -> None:
    connection, transport = seen_world.connect(1)
    await seen_world.look(connection, 2)
    seen_world.presence.answering.clear()
    looking = asyncio.create_task(seen_world.look(connection, 3, 4, room="another"))
    await asyncio.sleep(0.01)
    await seen_world.presence.come(2, 3)
    await until(lambda: flat(transport) == [(2, "online")])
    seen_world.presence.answering.set()
    assert await looking == [1, 3]
    await asyncio.sleep(A_WHILE_S)
    assert flat(transport) == [(2, "online")]


async def test_a_change_that_comes_late_does_not_undo_a_later_one(seen_world: World) -> None:
    kept: list[bytes] = []

    def keep_back(channel: str, payload: bytes) -> bool:
        if channel == channels.presence(2) and b"online" in payload:
            kept.append(payload)
            return True
        return False

    connection, transport = seen_world.connect(1)
    await seen_world.look(connection, 2)
    seen_world.broker.drops = keep_back
    await seen_world.presence.come(2)
    await seen_world.presence.go_away(2)
    await until(lambda: flat(transport) == [(2, "away")])
    seen_world.bus.handle(channels.presence(2), kept[0])
    await asyncio.sleep(A_WHILE_S)
    assert flat(transport) == [(2, "away")]


async def test_while_presence_is_away_one_sees_oneself_and_is_told_when_it_is_back(
    seen_world: World,
) -> None:
    await seen_world.presence.come(2)
    seen_world.presence.away = True
    connection, transport = seen_world.connect(1)
    assert await seen_world.look(connection, 2) == [1]
    seen_world.presence.away = False
    await until(lambda: flat(transport) == [(2, "online")])


async def test_when_redis_has_lost_everything_nobody_is_told_to_be_gone(seen_world: World) -> None:
    await seen_world.presence.come(2, 3)
    connection, transport = seen_world.connect(1)
    await seen_world.look(connection, 2, 3)
    bench = seen_world.presence.bench
    await bench.empty()
    await load(bench)
    await bench.store.look()
    # One gateway has reported, and not the one that has these.
    await seen_world.presence.tracker.report(full("a third", 1, 7))
    late, _ = seen_world.connect(4)
    assert await seen_world.look(late, 2, 3) == [2, 3, 4]
    seen_world.people.compare_soon()
    asked = seen_world.presence.asked.count("presence.states")
    await until(lambda: seen_world.presence.asked.count("presence.states") > asked + 2)
    assert flat(transport) == []
    # One of them really went meanwhile: seen once all have reported that there are.
    await seen_world.presence.tracker.report(full(ELSEWHERE, 100, 2))
    for _ in range(NO_GRACE.settle_ms // 1_000 + 1):
        await bench.pass_time(1_000)
        await seen_world.presence.tracker.sweep()
    await until(lambda: flat(transport) == [(3, "offline")])


async def test_members_who_come_are_seen_and_those_who_go_are_not(seen_world: World) -> None:
    connection, transport = seen_world.connect(1)
    await seen_world.look(connection, 2)
    await seen_world.presence.come(3)
    seen_world.watching.came(ROOM, 3)
    await until(lambda: flat(transport) == [(3, "online")])
    seen_world.watching.went(ROOM, 2, {1})
    await seen_world.presence.come(2)
    await asyncio.sleep(A_WHILE_S)
    assert flat(transport) == [(3, "online")]
    assert channels.presence(2) not in seen_world.bus.handlers


async def test_who_moves_while_it_is_asked_who_is_in_is_where_he_moved_to(seen_world: World) -> None:
    connection, transport = seen_world.connect(1)
    connection.viewing.add(ROOM)
    moves = [Move(ROOM, 2, False), Move(ROOM, 3, True), Move("another", 4, False)]
    await seen_world.watching.view(connection, ROOM, [2, 4], moves)
    await seen_world.presence.come(2, 3, 4)
    await until(lambda: sorted(flat(transport)) == [(3, "online"), (4, "online")])


async def test_a_socket_is_told_of_so_many_people_and_no_more(
    seen_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "MAX_SEEN", 4)
    connection, transport = seen_world.connect(1)
    await seen_world.presence.come(2)
    await seen_world.look(connection, 2, 3)
    assert await seen_world.look(connection, 2, 5, room="too many") == [1, 2]
    await seen_world.presence.come(3, 5)
    await until(lambda: flat(transport) == [(3, "online")])
    assert channels.presence(5) not in seen_world.bus.handlers


async def test_who_watches_sees_those_whom_he_may(seen_world: World) -> None:
    seen_world.presence.contacts.circles = ({1, 2, 3}, {4})
    await seen_world.presence.come(2, 4)
    connection, transport = seen_world.connect(1)
    rows = await seen_world.watching.watch(connection, [2, 3, 4, 99])
    assert [(row["user_id"], row["status"]) for row in rows] == [(2, "online"), (3, "offline")]
    await seen_world.presence.go(4)
    await seen_world.presence.come(3)
    await until(lambda: flat(transport) == [(3, "online")])
    seen_world.watching.unwatch(connection, [3])
    await seen_world.presence.go(3, 2)
    await until(lambda: flat(transport)[1:] == [(2, "offline")])


async def test_what_changes_between_the_answer_and_the_watching_is_told(seen_world: World) -> None:
    connection, transport = seen_world.connect(1)
    hears = seen_world.people.hears

    async def meanwhile() -> None:
        await hears()
        seen_world.broker.drops = lambda channel, _: channel.startswith("presence:")
        await seen_world.presence.come(2)

    seen_world.people.hears = meanwhile  # type: ignore[method-assign]
    [row] = await seen_world.watching.watch(connection, [2])
    assert row["status"] == "offline"
    await until(lambda: flat(transport) == [(2, "online")])


async def test_a_socket_watches_so_many_and_no_more(
    seen_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "MAX_WATCHED", 3)
    connection, _ = seen_world.connect(1)
    for users, seen in (([2, 3], [2, 3]), ([3, 4, 5], [3, 4]), ([6], [])):
        rows = await seen_world.watching.watch(connection, users)
        assert [row["user_id"] for row in rows] == seen


@pytest.mark.parametrize("shares_another", [True, False])
async def test_who_left_a_conversation_is_seen_again_if_another_is_shared(
    seen_world: World, shares_another: bool
) -> None:
    connection, transport = seen_world.connect(1)
    await seen_world.watching.watch(connection, [2])
    seen_world.presence.answering.clear()
    if not shares_another:
        seen_world.presence.contacts.circles = ()
    seen_world.watching.went(ROOM, 2, {1})
    # In doubt, nothing is told.
    await seen_world.presence.come(2)
    await asyncio.sleep(A_WHILE_S)
    assert flat(transport) == []
    seen_world.presence.answering.set()
    if shares_another:
        await until(lambda: flat(transport) == [(2, "online")])
    else:
        await until(lambda: channels.presence(2) not in seen_world.bus.handlers)
        await asyncio.sleep(A_WHILE_S)
        assert flat(transport) == []


async def test_doubt_lasts_until_presence_answers(seen_world: World) -> None:
    connection, transport = seen_world.connect(1)
    await seen_world.watching.watch(connection, [2, 3])
    seen_world.presence.away = True
    seen_world.watching.left(connection, ROOM)
    await seen_world.presence.come(2, 3)
    await asyncio.sleep(A_WHILE_S)
    assert flat(transport) == []
    seen_world.watching.unwatch(connection, [3])
    seen_world.presence.away = False
    await until(lambda: flat(transport) == [(2, "online")])


async def test_who_did_not_share_that_conversation_is_not_in_doubt(seen_world: World) -> None:
    connection, transport = seen_world.connect(1)
    await seen_world.watching.watch(connection, [2])
    asked = len(seen_world.presence.asked)
    seen_world.watching.went(ROOM, 2, {5})
    await seen_world.presence.come(2)
    await until(lambda: flat(transport) == [(2, "online")])
    assert len(seen_world.presence.asked) == asked


async def test_an_answer_from_before_somebody_left_does_not_count(seen_world: World) -> None:
    connection, transport = seen_world.connect(1)
    seen_world.presence.answering.clear()
    asking = asyncio.create_task(seen_world.watching.watch(connection, [2]))
    await until(lambda: "presence.look" in seen_world.presence.asked)
    await asyncio.sleep(0.01)
    seen_world.presence.contacts.circles = ()
    seen_world.watching.went(ROOM, 2, {1})
    seen_world.presence.answering.set()
    assert await asking == []
    await seen_world.presence.come(2)
    await asyncio.sleep(A_WHILE_S)
    assert flat(transport) == []


async def test_where_people_keep_leaving_the_asker_has_to_ask_again(seen_world: World) -> None:
    connection, _ = seen_world.connect(1)
    look = seen_world.reach.look

    async def leaving(caller: int, user_ids: list[int]) -> object:
        seen_world.watching.went(ROOM, 2, ())
        return await look(caller, user_ids)

    seen_world.reach.look = leaving  # type: ignore[method-assign, assignment]
    with pytest.raises(AppError):
        await seen_world.watching.watch(connection, [2])


async def test_who_hides_is_not_told_when_others_were_there_from_the_moment_that_he_says_so(
    seen_world: World,
) -> None:
    await seen_world.presence.come(2, 3)
    connection, transport = seen_world.connect(1)
    await seen_world.look(connection, 2, 3)
    await seen_world.presence.choose(Choice(1, 1, False, True))
    await seen_world.presence.go(2)
    await until(lambda: flat(transport) == [(2, "offline")])
    assert "last_seen_at" not in transport.frames()[0]
    await seen_world.presence.choose(Choice(1, 2, False, False))
    await seen_world.presence.go(3)
    await until(lambda: len(told(transport)) == 2)
    assert transport.frames()[1]["last_seen_at"]


async def test_who_hides_and_only_watches_is_not_told_either(seen_world: World) -> None:
    await seen_world.presence.choose(Choice(1, 1, False, True))
    await seen_world.presence.come(2)
    connection, transport = seen_world.connect(1)
    await seen_world.watching.watch(connection, [2])
    await seen_world.presence.go(2)
    await until(lambda: flat(transport) == [(2, "offline")])
    assert "last_seen_at" not in transport.frames()[0]
    other, sees = seen_world.connect(3)
    ended, _ = seen_world.connect(3)
    await seen_world.presence.come(2)
    await seen_world.watching.watch(other, [2])
    await seen_world.watching.watch(ended, [2])
    seen_world.watching.gone(ended)
    await seen_world.presence.go(2)
    await until(lambda: flat(sees) == [(2, "offline")])
    assert sees.frames()[0]["last_seen_at"]


async def test_nothing_is_left_of_sockets_that_are_gone(seen_world: World) -> None:
    for user in (1, 2, 3):
        connection, _ = seen_world.connect(user)
        await seen_world.look(connection, 1, 2, 3, 4)
        await seen_world.watching.watch(connection, [5, 6])
        seen_world.watching.left(connection, "another")
        seen_world.watching.unview(connection, ROOM)
        connection.viewing.clear()
        seen_world.watching.gone(connection)
    await asyncio.sleep(A_WHILE_S)
    assert not [name for name in seen_world.bus.handlers if name.startswith("presence:")]
    inside = vars(seen_world.watching)
    assert [inside[name] for name in ("_sights", "_watched", "_doubtful", "_askings")] == [{}, {}, {}, []]
    assert not vars(seen_world.people)["_people"]
    assert not vars(seen_world.people.telling)["_outboxes"]


async def test_who_comes_and_goes_in_one_turn_leaves_no_subscription(seen_world: World) -> None:
    connection, _ = seen_world.connect(1)
    await seen_world.look(connection, 2)
    seen_world.watching.came(ROOM, 3)
    seen_world.watching.went(ROOM, 3, ())
    await asyncio.sleep(A_WHILE_S)
    assert channels.presence(3) not in seen_world.bus.handlers


async def test_a_socket_that_ends_while_it_is_rechecked_is_forgotten(seen_world: World) -> None:
    connection, _ = seen_world.connect(1)
    await seen_world.watching.watch(connection, [2])
    hears, go_on = seen_world.people.hears, asyncio.Event()

    async def later() -> None:
        await go_on.wait()
        await hears()

    seen_world.people.hears = later  # type: ignore[method-assign]
    seen_world.watching.left(connection, ROOM)
    await until(lambda: vars(seen_world.watching)["_watched"] == {connection: {2}})
    await seen_world.presence.come(2)
    await asyncio.sleep(0.01)
    seen_world.watching.gone(connection)
    go_on.set()
    await asyncio.sleep(A_WHILE_S)
    assert not vars(seen_world.people.telling)["_outboxes"]
    assert not vars(seen_world.people)["_people"]


async def test_many_members_are_asked_for_at_once(seen_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "ASKED_AT_ONCE", 2)
    await seen_world.presence.come(3, 7)
    seen_world.presence.answering.clear()
    connection, _ = seen_world.connect(1)
    looking = asyncio.create_task(seen_world.look(connection, *range(2, 9)))
    await until(lambda: seen_world.presence.asked.count("presence.states") == 4)
    seen_world.presence.answering.set()
    assert await looking == [1, 3, 7]
