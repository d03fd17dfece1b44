"""A user who views a conversation sees its members; lost presence messages are recovered."""

from __future__ import annotations

import asyncio

import pytest

from gateway.presence import cache, subscriptions
from gateway.presence.subscriptions import Move
from messenger_shared.bus import channels
from messenger_shared.rpc import workers
from tests.gateway.presence_world import ELSEWHERE, ROOM, PresenceWorld, presence_changes
from tests.presence.stores import NO_GRACE, full, load
from tests.waiting import until

World = PresenceWorld
A_WHILE_S = 0.1


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "COMPARE_RETRY_S", 0.02)
    monkeypatch.setattr(subscriptions, "RECHECK_S", 0.02)


async def test_who_looks_sees_who_is_there_and_what_changes(seen_world: World) -> None:
    await seen_world.presence.come(2)
    connection, transport = seen_world.connect(1)
    assert await seen_world.view(connection, 1, 2, 3, 4) == [1, 2]
    await seen_world.presence.come(3)
    await until(lambda: presence_changes(transport) == [(3, "online")])
    await seen_world.presence.go(2)
    await until(lambda: presence_changes(transport)[1:] == [(2, "offline")])
    assert transport.frames()[-1]["last_seen_at"]
    await seen_world.presence.come(5)
    seen_world.subscriptions.unview(connection, ROOM)
    await seen_world.presence.go(3)
    await asyncio.sleep(A_WHILE_S)
    assert len(presence_changes(transport)) == 2


async def test_who_is_away_is_among_those_who_are_there_and_the_next_frame_says_so(
    seen_world: World,
) -> None:
    await seen_world.presence.go_away(2)
    connection, transport = seen_world.connect(1)
    assert await seen_world.view(connection, 2) == [1, 2]
    await until(lambda: presence_changes(transport) == [(2, "away")])


async def test_a_lost_change_is_found_by_comparing_with_when_he_was_last_there(seen_world: World) -> None:
    await seen_world.presence.come(2)
    connection, transport = seen_world.connect(1)
    await seen_world.view(connection, 2, 3)
    seen_world.broker.drops = lambda channel, _: channel.startswith("presence:")
    await seen_world.presence.go(2)
    await seen_world.presence.come(3)
    await asyncio.sleep(A_WHILE_S)
    assert presence_changes(transport) == []
    seen_world.cache.compare_soon()
    await until(lambda: sorted(presence_changes(transport)) == [(2, "offline"), (3, "online")])
    gone = [row for frame in transport.frames() for row in frame.get("users", [frame])]
    assert any(row["user_id"] == 2 and row["last_seen_at"] for row in gone)


async def test_what_a_worker_of_presence_did_not_tell_before_it_died_is_found(
    seen_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, transport = seen_world.connect(1)
    await seen_world.view(connection, 2)
    seen_world.broker.drops = lambda channel, _: channel.startswith("presence:")
    await seen_world.presence.come(2)
    await asyncio.sleep(A_WHILE_S)
    assert presence_changes(transport) == []
    # Shorter than the heartbeat interval: stands for a worker that comes back under another id.
    monkeypatch.setattr(workers, "DEAD_AFTER_S", 0.1)
    await until(lambda: presence_changes(transport) == [(2, "online")])


async def test_who_looks_at_the_same_people_costs_no_question_more(seen_world: World) -> None:
    await seen_world.presence.come(2)
    sockets = [seen_world.connect(user) for user in (1, 1, 3)]
    views = (seen_world.view(connection, 1, 2, 3) for connection, _ in sockets)
    assert await asyncio.gather(*views) == [[1, 2], [1, 2], [2, 3]]
    assert seen_world.presence.asked.count("presence.states") == 1
    late, transport = seen_world.connect(1)
    assert await seen_world.view(late, 1, 2, 3) == [1, 2]
    assert seen_world.presence.asked.count("presence.states") == 1
    # The users in the answer get no extra event.
    await asyncio.sleep(A_WHILE_S)
    assert [presence_changes(each) for each in (*(transport for _, transport in sockets), transport)] == [
        []
    ] * 4


async def test_what_happens_elsewhere_while_a_socket_waits_for_an_answer_is_told(
    seen_world: World,
) -> None:
    connection, transport = seen_world.connect(1)
    await seen_world.view(connection, 2)
    seen_world.presence.may_answer.clear()
    viewing = asyncio.create_task(seen_world.view(connection, 3, 4, room="another"))
    await asyncio.sleep(0.01)
    await seen_world.presence.come(2, 3)
    await until(lambda: presence_changes(transport) == [(2, "online")])
    seen_world.presence.may_answer.set()
    assert await viewing == [1, 3]
    await asyncio.sleep(A_WHILE_S)
    assert presence_changes(transport) == [(2, "online")]


async def test_a_change_that_comes_late_does_not_undo_a_later_one(seen_world: World) -> None:
    kept: list[bytes] = []

    def keep_back(channel: str, payload: bytes) -> bool:
        if channel == channels.presence(2) and b"online" in payload:
            kept.append(payload)
            return True
        return False

    connection, transport = seen_world.connect(1)
    await seen_world.view(connection, 2)
    seen_world.broker.drops = keep_back
    await seen_world.presence.come(2)
    await seen_world.presence.go_away(2)
    await until(lambda: presence_changes(transport) == [(2, "away")])
    seen_world.bus.handle(channels.presence(2), kept[0])
    await asyncio.sleep(A_WHILE_S)
    assert presence_changes(transport) == [(2, "away")]


async def test_while_presence_is_away_one_sees_oneself_and_is_told_when_it_is_back(
    seen_world: World,
) -> None:
    await seen_world.presence.come(2)
    seen_world.presence.away = True
    connection, transport = seen_world.connect(1)
    assert await seen_world.view(connection, 2) == [1]
    seen_world.presence.away = False
    await until(lambda: presence_changes(transport) == [(2, "online")])


async def test_when_redis_has_lost_everything_nobody_is_told_to_be_gone(seen_world: World) -> None:
    await seen_world.presence.come(2, 3)
    connection, transport = seen_world.connect(1)
    await seen_world.view(connection, 2, 3)
    bench = seen_world.presence.bench
    await bench.empty()
    await load(bench)
    await bench.store.begin_sweep()
    # One gateway has reported, but not the one that has these users.
    await seen_world.presence.tracker.report(full("a third", 1, 7))
    late, _ = seen_world.connect(4)
    assert await seen_world.view(late, 2, 3) == [2, 3, 4]
    seen_world.cache.compare_soon()
    asked = seen_world.presence.asked.count("presence.states")
    await until(lambda: seen_world.presence.asked.count("presence.states") > asked + 2)
    assert presence_changes(transport) == []
    # One of them really went meanwhile. That shows once all gateways have reported.
    await seen_world.presence.tracker.report(full(ELSEWHERE, 100, 2))
    for _ in range(NO_GRACE.settle_ms // 1_000 + 1):
        await bench.pass_time(1_000)
        await seen_world.presence.tracker.sweep()
    await until(lambda: presence_changes(transport) == [(3, "offline")])


async def test_members_who_come_are_seen_and_those_who_go_are_not(seen_world: World) -> None:
    connection, transport = seen_world.connect(1)
    await seen_world.view(connection, 2)
    await seen_world.presence.come(3)
    seen_world.subscriptions.member_joined(ROOM, 3)
    await until(lambda: presence_changes(transport) == [(3, "online")])
    seen_world.subscriptions.member_left(ROOM, 2, {1})
    await seen_world.presence.come(2)
    await asyncio.sleep(A_WHILE_S)
    assert presence_changes(transport) == [(3, "online")]
    assert channels.presence(2) not in seen_world.bus.handlers


async def test_who_moves_while_it_is_asked_who_is_in_is_where_he_moved_to(seen_world: World) -> None:
    connection, transport = seen_world.connect(1)
    connection.viewing = {ROOM}
    moves = [Move(ROOM, 2, False), Move(ROOM, 3, True), Move("another", 4, False)]
    await seen_world.subscriptions.view(connection, ROOM, [2, 4], moves)
    await seen_world.presence.come(2, 3, 4)
    await until(lambda: sorted(presence_changes(transport)) == [(3, "online"), (4, "online")])


async def test_a_socket_is_told_of_so_many_people_and_no_more(
    seen_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "MAX_SEEN", 4)
    connection, transport = seen_world.connect(1)
    await seen_world.presence.come(2)
    await seen_world.view(connection, 2, 3)
    assert await seen_world.view(connection, 2, 5, room="too many") == [1, 2]
    await seen_world.presence.come(3, 5)
    await until(lambda: presence_changes(transport) == [(3, "online")])
    assert channels.presence(5) not in seen_world.bus.handlers


async def test_who_comes_and_goes_in_one_turn_leaves_no_subscription(seen_world: World) -> None:
    connection, _ = seen_world.connect(1)
    await seen_world.view(connection, 2)
    seen_world.subscriptions.member_joined(ROOM, 3)
    seen_world.subscriptions.member_left(ROOM, 3, ())
    await asyncio.sleep(A_WHILE_S)
    assert channels.presence(3) not in seen_world.bus.handlers


async def test_many_members_are_asked_for_at_once(seen_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "USERS_PER_REQUEST", 2)
    await seen_world.presence.come(3, 7)
    seen_world.presence.may_answer.clear()
    connection, _ = seen_world.connect(1)
    viewing = asyncio.create_task(seen_world.view(connection, *range(2, 9)))
    await until(lambda: seen_world.presence.asked.count("presence.states") == 4)
    seen_world.presence.may_answer.set()
    assert await viewing == [1, 3, 7]
