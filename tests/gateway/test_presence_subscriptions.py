"""A subscriber sees the users they may see, and no others; presence is in memory."""

from __future__ import annotations

import asyncio

import pytest

from gateway.presence import cache, subscriptions
from messenger_shared.bus import channels
from messenger_shared.contract.errors import AppError
from presence.ports import Choice
from tests.gateway.presence_world import ROOM, PresenceWorld, presence_changes, presence_frames
from tests.waiting import until

World = PresenceWorld
A_WHILE_S = 0.1


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "COMPARE_RETRY_S", 0.02)
    monkeypatch.setattr(subscriptions, "RECHECK_S", 0.02)


async def test_who_watches_sees_those_whom_he_may(seen_world: World) -> None:
    seen_world.presence.contacts.groups = ({1, 2, 3}, {4})
    await seen_world.presence.come(2, 4)
    connection, transport = seen_world.connect(1)
    rows = await seen_world.subscriptions.watch(connection, [2, 3, 4, 99])
    assert [(row["user_id"], row["status"]) for row in rows] == [(2, "online"), (3, "offline")]
    await seen_world.presence.go(4)
    await seen_world.presence.come(3)
    await until(lambda: presence_changes(transport) == [(3, "online")])
    seen_world.subscriptions.unwatch(connection, [3])
    await seen_world.presence.go(3, 2)
    await until(lambda: presence_changes(transport)[1:] == [(2, "offline")])


async def test_what_changes_between_the_answer_and_the_watching_is_told(seen_world: World) -> None:
    connection, transport = seen_world.connect(1)
    wait_subscribed = seen_world.cache.wait_subscribed

    async def meanwhile() -> None:
        await wait_subscribed()
        seen_world.broker.drops = lambda channel, _: channel.startswith("presence:")
        await seen_world.presence.come(2)

    seen_world.cache.wait_subscribed = meanwhile  # type: ignore[method-assign]
    [row] = await seen_world.subscriptions.watch(connection, [2])
    assert row["status"] == "offline"
    await until(lambda: presence_changes(transport) == [(2, "online")])


async def test_a_socket_watches_so_many_and_no_more(
    seen_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "MAX_WATCHED", 3)
    connection, _ = seen_world.connect(1)
    for users, seen in (([2, 3], [2, 3]), ([3, 4, 5], [3, 4]), ([6], [])):
        rows = await seen_world.subscriptions.watch(connection, users)
        assert [row["user_id"] for row in rows] == seen


@pytest.mark.parametrize("shares_another", [True, False])
async def test_who_left_a_conversation_is_seen_again_if_another_is_shared(
    seen_world: World, shares_another: bool
) -> None:
    connection, transport = seen_world.connect(1)
    await seen_world.subscriptions.watch(connection, [2])
    seen_world.presence.may_answer.clear()
    if not shares_another:
        seen_world.presence.contacts.groups = ()
    seen_world.subscriptions.member_left(ROOM, 2, {1})
    # When in doubt, nothing is sent.
    await seen_world.presence.come(2)
    await asyncio.sleep(A_WHILE_S)
    assert presence_changes(transport) == []
    seen_world.presence.may_answer.set()
    if shares_another:
        await until(lambda: presence_changes(transport) == [(2, "online")])
    else:
        await until(lambda: channels.presence(2) not in seen_world.bus.handlers)
        await asyncio.sleep(A_WHILE_S)
        assert presence_changes(transport) == []


async def test_doubt_lasts_until_presence_answers(seen_world: World) -> None:
    connection, transport = seen_world.connect(1)
    await seen_world.subscriptions.watch(connection, [2, 3])
    seen_world.presence.away = True
    seen_world.subscriptions.user_left(connection, ROOM)
    await seen_world.presence.come(2, 3)
    await asyncio.sleep(A_WHILE_S)
    assert presence_changes(transport) == []
    seen_world.subscriptions.unwatch(connection, [3])
    seen_world.presence.away = False
    await until(lambda: presence_changes(transport) == [(2, "online")])


async def test_who_did_not_share_that_conversation_is_not_in_doubt(seen_world: World) -> None:
    connection, transport = seen_world.connect(1)
    await seen_world.subscriptions.watch(connection, [2])
    asked = len(seen_world.presence.asked)
    seen_world.subscriptions.member_left(ROOM, 2, {5})
    await seen_world.presence.come(2)
    await until(lambda: presence_changes(transport) == [(2, "online")])
    assert len(seen_world.presence.asked) == asked


async def test_an_answer_from_before_somebody_left_does_not_count(seen_world: World) -> None:
    connection, transport = seen_world.connect(1)
    seen_world.presence.may_answer.clear()
    asking = asyncio.create_task(seen_world.subscriptions.watch(connection, [2]))
    await until(lambda: "presence.look" in seen_world.presence.asked)
    await asyncio.sleep(0.01)
    seen_world.presence.contacts.groups = ()
    seen_world.subscriptions.member_left(ROOM, 2, {1})
    seen_world.presence.may_answer.set()
    assert await asking == []
    await seen_world.presence.come(2)
    await asyncio.sleep(A_WHILE_S)
    assert presence_changes(transport) == []


async def test_where_people_keep_leaving_the_asker_has_to_ask_again(seen_world: World) -> None:
    connection, _ = seen_world.connect(1)
    visible_rows = seen_world.presence_client.visible_rows

    async def leaving(caller: int, user_ids: list[int]) -> object:
        seen_world.subscriptions.member_left(ROOM, 2, ())
        return await visible_rows(caller, user_ids)

    seen_world.presence_client.visible_rows = leaving  # type: ignore[method-assign, assignment]
    with pytest.raises(AppError):
        await seen_world.subscriptions.watch(connection, [2])


async def test_who_hides_is_not_told_when_others_were_there_from_the_moment_that_he_says_so(
    seen_world: World,
) -> None:
    await seen_world.presence.come(2, 3)
    connection, transport = seen_world.connect(1)
    await seen_world.view(connection, 2, 3)
    await seen_world.presence.choose(Choice(1, 1, False, True))
    await seen_world.presence.go(2)
    await until(lambda: presence_changes(transport) == [(2, "offline")])
    assert "last_seen_at" not in transport.frames()[0]
    await seen_world.presence.choose(Choice(1, 2, False, False))
    await seen_world.presence.go(3)
    await until(lambda: len(presence_frames(transport)) == 2)
    assert transport.frames()[1]["last_seen_at"]


async def test_who_hides_and_only_watches_is_not_told_either(seen_world: World) -> None:
    await seen_world.presence.choose(Choice(1, 1, False, True))
    await seen_world.presence.come(2)
    connection, transport = seen_world.connect(1)
    await seen_world.subscriptions.watch(connection, [2])
    await seen_world.presence.go(2)
    await until(lambda: presence_changes(transport) == [(2, "offline")])
    assert "last_seen_at" not in transport.frames()[0]
    other, sees = seen_world.connect(3)
    ended, _ = seen_world.connect(3)
    await seen_world.presence.come(2)
    await seen_world.subscriptions.watch(other, [2])
    await seen_world.subscriptions.watch(ended, [2])
    seen_world.subscriptions.connection_closed(ended)
    await seen_world.presence.go(2)
    await until(lambda: presence_changes(sees) == [(2, "offline")])
    assert sees.frames()[0]["last_seen_at"]


async def test_nothing_is_left_of_sockets_that_are_gone(seen_world: World) -> None:
    for user in (1, 2, 3):
        connection, _ = seen_world.connect(user)
        await seen_world.view(connection, 1, 2, 3, 4)
        await seen_world.subscriptions.watch(connection, [5, 6])
        seen_world.subscriptions.user_left(connection, "another")
        seen_world.subscriptions.unview(connection, ROOM)
        connection.viewing = None
        seen_world.subscriptions.connection_closed(connection)
    await asyncio.sleep(A_WHILE_S)
    assert not [name for name in seen_world.bus.handlers if name.startswith("presence:")]
    inside = vars(seen_world.subscriptions)
    assert [inside[name] for name in ("_viewed", "_watched", "_suspended", "_collectors")] == [{}, {}, {}, []]
    assert not vars(seen_world.cache)["_users"]
    assert not vars(seen_world.cache.fan_out)["_outboxes"]


async def test_a_socket_that_ends_while_it_is_rechecked_is_forgotten(seen_world: World) -> None:
    connection, _ = seen_world.connect(1)
    await seen_world.subscriptions.watch(connection, [2])
    wait_subscribed, go_on = seen_world.cache.wait_subscribed, asyncio.Event()

    async def later() -> None:
        await go_on.wait()
        await wait_subscribed()

    seen_world.cache.wait_subscribed = later  # type: ignore[method-assign]
    seen_world.subscriptions.user_left(connection, ROOM)
    await until(lambda: vars(seen_world.subscriptions)["_watched"] == {connection: {2}})
    await seen_world.presence.come(2)
    await asyncio.sleep(0.01)
    seen_world.subscriptions.connection_closed(connection)
    go_on.set()
    await asyncio.sleep(A_WHILE_S)
    assert not vars(seen_world.cache.fan_out)["_outboxes"]
    assert not vars(seen_world.cache)["_users"]
