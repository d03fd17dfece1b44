"""What waits behind a receiver: it holds up only itself, and is told as it is."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from chat_api.feed.webhooks import dispatcher, lane
from chat_api.storage.event_log import PgEventLog
from messenger_shared.postgres.database import Database
from tests.integration import delivering
from tests.integration.delivering import Feed, Receiver, World, is_empty, make_webhook, waits
from tests.integration.indexing import Room
from tests.waiting import eventually, until

OPEN_MAX = 4


async def send_in_rows(feed: Feed, database: Database, room: Room, count: int) -> None:
    """Sends messages, each of which is a row of the log."""
    log = PgEventLog(database)
    for number in range(count):
        last = (await log.head()).last
        await room.send(str(number))
        feed.notice(room.id)
        await eventually(lambda last=last: _is_longer(log, last))  # type: ignore[misc]


async def _is_longer(log: PgEventLog, than: int) -> bool:
    return (await log.head()).last > than


@pytest.mark.parametrize("is_killed", [False, True])
async def test_a_conversation_busier_than_its_receiver_holds_up_only_itself(
    world: World,
    receiver: Receiver,
    rooms: list[Room],
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    is_killed: bool,
) -> None:
    monkeypatch.setattr(dispatcher, "OPEN_MAX", OPEN_MAX)
    monkeypatch.setattr(delivering, "TIMEOUT_S", 20.0)
    monkeypatch.setattr("chat_api.feed.webhooks.supervisor.LEASE_S", 0.5)
    busy, other, _ = rooms
    is_open = asyncio.Event()

    async def wait(body: Any) -> None:
        if body["data"]["conversation_id"] == busy.id:
            await is_open.wait()

    receiver.meanwhile = wait
    await make_webhook(database, receiver)
    feed = world.make_feed()
    await feed.start()
    await send_in_rows(feed, database, busy, 3 * OPEN_MAX)
    await other.send("1")
    feed.notice(other.id)
    await until(lambda: receiver.taken.get(other.id) == [1, 2])
    [held] = await waits(database)
    assert held == (busy.id, 0, 0, False, dispatcher.BUSY)
    if is_killed:
        await feed.crash()
        feed = world.make_feed()
        await feed.start()
    is_open.set()
    await until(lambda: receiver.taken[busy.id][-1:] == [3 * OPEN_MAX + 1])
    await eventually(lambda: is_empty(database))
    await feed.stop()
    positions = receiver.taken[busy.id]
    assert set(positions) == set(range(1, 3 * OPEN_MAX + 2))
    assert all(later <= earlier + 1 for earlier, later in pairwise(positions))
    assert is_killed or receiver.repeats == 0


async def test_what_changes_while_it_waits_is_told_once_as_it_is(
    world: World, receiver: Receiver, rooms: list[Room], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "FRESH_S", 0.0)
    await make_webhook(world.database, receiver)
    _, second = await rooms[0].send("1", "2")

    async def edit(body: Any) -> None:
        if body["data"]["pos"] == 2:
            await rooms[0].edit(second, "3")

    receiver.meanwhile = edit
    async with world.feed() as feed:
        feed.notice(rooms[0].id)
        await until(lambda: receiver.taken.get(rooms[0].id, [])[-1:] == [4])
    assert receiver.taken[rooms[0].id] == [1, 2, 4]
    assert receiver.deliveries[-1].body["data"]["data"]["content"] == "3"
