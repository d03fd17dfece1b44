"""Deliveries to webhooks with a real PostgreSQL: in order, at least once, whatever a receiver does."""

from __future__ import annotations

import asyncio
import random
from itertools import pairwise
from typing import Any

import orjson
import pytest

from chat_api.feed.webhooks import dispatcher
from chat_api.outgoing.signatures import new_secret
from chat_api.storage.changes import PgChanges
from chat_api.storage.participants import PgParticipants
from chat_api.webhooks import schedule
from chat_api.webhooks.store import NewSecret
from messenger_shared.contract.events import MESSAGE_NEW
from messenger_shared.contract.identifiers import new_id
from messenger_shared.postgres.database import Database
from tests.integration.delivering import (
    LATE,
    NAME,
    RESET,
    Receiver,
    World,
    is_disabled,
    is_empty,
    is_parked,
    make_webhook,
    quiet,
    waits,
)
from tests.integration.indexing import ADMIN, Room
from tests.waiting import eventually, until


async def test_bodies_are_what_a_socket_gets(world: World, receiver: Receiver, rooms: list[Room]) -> None:
    async with world.feed() as feed:
        await until(lambda: feed.follower._handled.get(rooms[0].id))
        await make_webhook(world.database, receiver)
        [id_] = await rooms[0].send("글")
        await rooms[0].edit(id_, "말")
        await PgParticipants(world.database).add(rooms[0].id, ADMIN, [7, 8], "member")
        await rooms[0].send("끝")
        feed.notice(rooms[0].id)
        await until(lambda: len(receiver.deliveries) == 3)
    replay = await PgChanges(world.database).after(rooms[0].id, 0, 1)
    assert replay
    assert [d.id for d in receiver.deliveries] == [f"evt_{rooms[0].id}_{e.pos}" for e in replay.events]
    for delivery, event in zip(receiver.deliveries, replay.events, strict=True):
        assert {"type": delivery.body["type"], **delivery.body["data"]} == orjson.loads(event.frame)
    first, _, last = [delivery.body for delivery in receiver.deliveries]
    # It was sent and edited before anybody was told: one event, with the text that it has.
    assert (first["type"], first["data"]["data"]["content"]) == (MESSAGE_NEW, "말")
    assert last["timestamp"] == last["data"]["data"]["created_at"]


async def test_only_the_types_asked_for_and_nothing_from_before(
    world: World, receiver: Receiver, rooms: list[Room]
) -> None:
    async with world.feed() as feed:
        await rooms[0].send("before")
        feed.notice(rooms[0].id)
        await until(lambda: feed.follower._handled.get(rooms[0].id) >= 2)
        await make_webhook(world.database, receiver, MESSAGE_NEW)
        [id_] = await rooms[0].send("one")
        feed.notice(rooms[0].id)
        await until(lambda: receiver.deliveries)
        await rooms[0].edit(id_, "two")
        await PgParticipants(world.database).add(rooms[0].id, ADMIN, [7], "member")
        await rooms[0].send("three")
        feed.notice(rooms[0].id)
        await until(lambda: len(receiver.deliveries) == 2)
    assert [d.body["data"]["data"]["content"] for d in receiver.deliveries] == ["one", "three"]


@pytest.mark.parametrize("answer", [500, 302, 429, LATE, RESET])
async def test_what_fails_is_tried_again_and_holds_up_only_its_conversation(
    world: World, receiver: Receiver, rooms: list[Room], answer: int
) -> None:
    failing, failures = rooms[0].id, 3

    def plan(body: Any) -> int:
        nonlocal failures
        if body["data"]["conversation_id"] != failing or not failures:
            return 204
        failures -= 1
        return answer

    receiver.plan = plan
    await make_webhook(world.database, receiver)
    async with world.feed() as feed:
        for room in rooms:
            await room.send("1", "2", "3")
        feed.notice(*(room.id for room in rooms))
        await until(lambda: len(receiver.taken.get(failing, [])) == 4)
        await eventually(lambda: is_empty(world.database))
    assert receiver.taken == {room.id: [1, 2, 3, 4] for room in rooms}
    order = [d.room for d in receiver.deliveries if d.answered == 204]
    assert failing not in order[: 2 * 4], "the others came before it"


async def test_retry_after_is_obeyed(
    world: World, receiver: Receiver, rooms: list[Room], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "RETRY_AFTER_MAX_S", 0.4)
    times: list[float] = []

    def plan(body: Any) -> int:
        if body["data"]["conversation_id"] != rooms[0].id:
            return 204
        times.append(asyncio.get_running_loop().time())
        return 204 if len(times) == 2 else 503

    receiver.plan, receiver.headers = plan, {"Retry-After": "3600"}
    await make_webhook(world.database, receiver)
    async with world.feed() as feed:
        feed.notice(rooms[0].id)
        await until(lambda: len(times) >= 2)
    assert times[1] - times[0] >= 0.4


async def test_after_the_last_attempt_it_is_parked_until_somebody_asks(
    world: World, receiver: Receiver, rooms: list[Room], database: Database
) -> None:
    receiver.plan = lambda body: 500 if body["data"]["conversation_id"] == rooms[0].id else 204
    webhook = await make_webhook(database, receiver)
    async with world.feed() as feed:
        await rooms[0].send("1")
        feed.notice(*(room.id for room in rooms))
        await eventually(lambda: is_parked(database))
        assert await waits(database) == [(rooms[0].id, 0, 10, True, "500")]
        figures = await world.deliveries.figures(webhook)
        assert (figures.waiting, figures.parked) == (0, 1)
        tried = len(receiver.deliveries)
        # What comes later waits behind it, and isn't tried.
        await rooms[0].send("2")
        feed.notice(rooms[0].id)
        await quiet(receiver)
        assert len(receiver.deliveries) == tried
        receiver.plan = lambda body: 204
        assert await world.webhooks.redeliver(NAME, None, None) == 1
        await until(lambda: receiver.taken.get(rooms[0].id) == [1, 2, 3])
        await eventually(lambda: is_empty(database))
    # They are written down each second, and when the feed ends.
    attempts = await world.webhooks.attempts(NAME, 2**63 - 1, 100)
    counted = [(a["attempt"], a["status"]) for a in attempts if a["event_id"] == f"evt_{rooms[0].id}_1"]
    assert counted == [(1, 204), *((number, 500) for number in range(10, 0, -1))]


async def test_a_conversation_is_delivered_again_from_a_pos(
    world: World, receiver: Receiver, rooms: list[Room]
) -> None:
    await make_webhook(world.database, receiver)
    async with world.feed() as feed:
        await rooms[0].send("1", "2", "3")
        feed.notice(rooms[0].id)
        await until(lambda: receiver.taken.get(rooms[0].id) == [1, 2, 3, 4])
        await world.webhooks.redeliver(NAME, rooms[0].id, 3)
        await until(lambda: receiver.taken[rooms[0].id] == [1, 2, 3, 4, 3, 4])
        # Above what there is: nothing, and what comes then isn't taken for delivered.
        await world.webhooks.redeliver(NAME, rooms[0].id, 1_000)
        await rooms[0].send("4")
        feed.notice(rooms[0].id)
        await until(lambda: receiver.taken[rooms[0].id][6:] == [5])
        await eventually(lambda: is_empty(world.database))


async def test_410_disables_and_nothing_is_lost(
    world: World, receiver: Receiver, rooms: list[Room], database: Database
) -> None:
    receiver.plan = lambda body: 410
    await make_webhook(database, receiver)
    async with world.feed() as feed:
        await rooms[0].send("1", "2")
        feed.notice(rooms[0].id)
        await eventually(lambda: is_disabled(world))
        await rooms[0].send("3")
        feed.notice(rooms[0].id)
        await quiet(receiver)
        receiver.plan = lambda body: 204
        # The application puts its webhook again, which enables it.
        await make_webhook(database, receiver)
        await until(lambda: receiver.taken.get(rooms[0].id) == [1, 2, 3, 4])


async def test_a_webhook_that_is_put_again_right_after_410_is_delivered_to(
    world: World, receiver: Receiver, rooms: list[Room], database: Database
) -> None:
    await make_webhook(database, receiver)
    async with world.feed() as feed:
        await until(lambda: feed.supervisor._dispatchers)
        [gone] = feed.supervisor._dispatchers.values()
        # As after the answer, when it is enabled again before anybody notices.
        gone.receiver.is_over = True
        gone.wake()
        await rooms[0].send("1")
        feed.notice(rooms[0].id)
        await until(lambda: receiver.taken.get(rooms[0].id) == [1, 2])


async def test_both_secrets_sign_for_a_while(world: World, receiver: Receiver, rooms: list[Room]) -> None:
    await make_webhook(world.database, receiver)
    old, request, new = receiver.secrets[0], new_id(), new_secret()
    assert await world.webhooks.rotate(NAME, NewSecret(request, new), 60) == new
    # A repeat of the request gets the same one.
    assert await world.webhooks.rotate(NAME, NewSecret(request, new_secret()), 60) == new
    receiver.secrets = [old, new]
    async with world.feed() as feed:
        feed.notice(rooms[0].id)
        await until(lambda: receiver.deliveries)
    await world.webhooks.rotate(NAME, NewSecret(new_id(), newest := new_secret()), 0)
    assert (await world.webhooks.find(NAME)).secrets == (newest,)


async def test_slow_conversations_leave_lanes_to_others(
    world: World, receiver: Receiver, database: Database, database_url: str
) -> None:
    slow = [await Room(database, database_url).create() for _ in range(30)]
    ids = {room.id for room in slow}
    receiver.plan = lambda body: LATE if body["data"]["conversation_id"] in ids else 204
    await make_webhook(database, receiver)
    async with world.feed() as feed:
        feed.notice(*ids)
        await until(lambda: len({d.room for d in receiver.deliveries}) == 30)
        assert dispatcher.RETRY_LANES < receiver.most_at_once <= dispatcher.LANES
        room = await Room(database, database_url).create()
        await room.send("1", "2")
        feed.notice(room.id)
        await until(lambda: receiver.taken.get(room.id) == [1, 2, 3], 5.0)


async def test_kills_and_random_failures_lose_nothing_and_keep_the_order(
    world: World, receiver: Receiver, rooms: list[Room], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat_api.feed.webhooks.supervisor.LEASE_S", 0.3)
    chance = random.Random(7)
    receiver.plan = lambda body: chance.choice((204, 204, 204, 204, 500, 429, RESET))
    await make_webhook(database, receiver)
    for round_ in range(8):
        feed = world.make_feed()
        await feed.start()
        for room in rooms:
            await room.send(*(f"{round_} {number}" for number in range(4)))
        feed.notice(*(room.id for room in rooms))
        await asyncio.sleep(chance.uniform(0.05, 0.3))
        await feed.crash()
        await database.rows("UPDATE messenger.webhook_backlog SET parked_at = NULL", user_id=-1)
    receiver.plan = lambda body: 204
    async with world.feed() as feed:
        feed.notice(*(room.id for room in rooms))
        await until(lambda: all(receiver.taken[room.id][-1:] == [33] for room in rooms))
        await eventually(lambda: is_empty(database))
    for room in rooms:
        positions = receiver.taken[room.id]
        assert sorted(set(positions)) == list(range(1, 34))
        # A repeat begins anew at an earlier place. From there on the order holds, and nothing is skipped.
        assert all(later <= earlier + 1 for earlier, later in pairwise(positions))
