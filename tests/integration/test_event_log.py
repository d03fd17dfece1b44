"""The log of events with a real PostgreSQL, read by a host: all there is, once, in order, and in pages."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pytest

from chat_api.feed.cursors import PgCursors
from chat_api.feed.event_log import EventLogger
from chat_api.feed.held_lease import HeldLease
from chat_api.feed.retention import Retention
from chat_api.handlers.events import EventHandlers
from chat_api.model import ConversationChanges
from chat_api.storage.changes import PgChanges
from chat_api.storage.event_log import CONSUMER, PgEventLog
from chat_api.storage.participants import PgParticipants
from messenger_shared.bus.memory_bus import MemoryBroker, MemoryBus
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import SERVER, new_id
from messenger_shared.postgres.database import Database
from messenger_shared.rpc.messages import Request
from tests.integration.following import caught_up, following, run
from tests.integration.indexing import ADMIN, Room


class CountedChanges(PgChanges):
    """Counts the changes that are read."""

    count = 0

    async def after_each(self, positions: Mapping[str, int], limit: int) -> dict[str, ConversationChanges]:
        found = await super().after_each(positions, limit)
        self.count += sum(len(changes.events) for changes in found.values())
        return found


class Host:
    """A host that reads events, page after page, and keeps its cursor."""

    def __init__(self, database: Database) -> None:
        self.changes = CountedChanges(database)
        self._handlers = EventHandlers(PgEventLog(database), self.changes)
        self.cursor: str | None = None
        self.items: list[dict[str, Any]] = []
        self.largest = 0

    async def read(self, limit: int = 100) -> None:
        """Reads all that there is."""
        while True:
            body = {"cursor": self.cursor, "limit": limit}
            page = await self._handlers.read(Request(1, "", SERVER, 1_000, "", body))
            self.cursor = page["next_cursor"]
            self.items += page["items"]
            self.largest = max(self.largest, len(page["items"]))
            if not page["has_more"]:
                return

    @property
    def positions(self) -> dict[str, list[int]]:
        """The positions that it read, by conversation."""
        found: dict[str, list[int]] = defaultdict(list)
        for item in self.items:
            found[item["data"]["conversation_id"]].append(item["data"]["pos"])
        return found


async def log_all(database: Database) -> None:
    """Lets the feed note everything that there is."""
    bus = MemoryBus(MemoryBroker(), "feed")
    async with following(database, EventLogger(PgEventLog(database), bus, 0.0)):
        await caught_up(database, CONSUMER)


@pytest.fixture
async def rooms(database: Database, database_url: str) -> list[Room]:
    return [await Room(database, database_url).create() for _ in range(5)]


async def test_a_host_reads_everything_once_in_order_however_small_the_pages(
    database: Database, rooms: list[Room]
) -> None:
    for round_ in range(3):
        for room in rooms:
            await room.send(*(f"{round_} {n}" for n in range(30)))
        await log_all(database)
    await PgParticipants(database).add(rooms[0].id, ADMIN, [7, 8, 9], "member")
    await log_all(database)
    expected = {room.id: list(range(1, 92)) for room in rooms}
    expected[rooms[0].id].append(92)
    for limit in (100, 7, 1):
        host = Host(database)
        await host.read(limit)
        assert host.positions == expected
        assert host.largest <= limit
        assert host.changes.count <= 2 * len(host.items), "it reads little more than it tells"
    assert len({item["id"] for item in host.items}) == len(host.items)
    assert host.items[-1]["data"]["users"] == [{"user_id": id_, "role": "member"} for id_ in (7, 8, 9)]
    # From the end on there is nothing, and what comes then.
    assert host.cursor is not None
    await rooms[1].send("later")
    await log_all(database)
    host.items.clear()
    await host.read()
    assert [item["data"]["data"]["content"] for item in host.items] == ["later"]


async def test_what_changed_twice_behind_a_cursor_is_told_once_as_it_is(
    database: Database, rooms: list[Room]
) -> None:
    [room, *_] = rooms
    first, second = await room.send("1", "2")
    await log_all(database)
    for content in ("a", "b"):
        await room.edit(first, content)
        await log_all(database)
    await room.delete(second)
    await log_all(database)
    host = Host(database)
    await host.read(1)
    of_room = [item for item in host.items if item["data"]["conversation_id"] == room.id]
    assert [(item["type"], item["data"]["pos"]) for item in of_room] == [
        ("participant.added", 1),
        ("message.edited", 5),
        ("message.deleted", 6),
    ]
    assert of_room[1]["data"]["data"]["content"] == "b"


async def test_numbers_have_no_gap_while_several_write(database: Database, rooms: list[Room]) -> None:
    for room in rooms:
        await room.send(*"abc")
    log = PgEventLog(database)

    async def write(room: Room) -> int:
        cursors, token = PgCursors(database, CONSUMER), new_id()
        claims = (await cursors.claim([room.id], token)).claims
        consumer = EventLogger(log, MemoryBus(MemoryBroker(), "feed"))
        return len(await consumer.handle(claims, HeldLease(cursors, token)))

    assert await asyncio.gather(*map(write, rooms)) == [1] * 5
    assert [row.number for row in await log.page(1, 100)] == [1, 2, 3, 4, 5]
    assert await log.head() == (5, 0)
    # Without a lease nothing is written.
    held = await log.append(new_id(), [rooms[0].id], [0], [9])
    assert (held, await log.head()) == (set(), (5, 0))


async def test_a_cursor_from_before_what_is_kept_is_refused(
    database: Database, database_url: str, rooms: list[Room]
) -> None:
    await log_all(database)
    host, early = Host(database), Host(database)
    await early.read(1)
    first = early.items[0]["id"]
    early.cursor, early.items = None, []
    body = {"cursor": None, "limit": 1}
    page = await early._handlers.read(Request(1, "", SERVER, 1_000, "", body))
    assert page["items"][0]["id"] == first
    run(database_url, "UPDATE messenger.event_log SET at = now() - interval '31 days' WHERE number <= 3")
    run(
        database_url,
        "INSERT INTO messenger.webhook_attempts (webhook_id, at, event_id, type, attempt, took_ms) "
        "SELECT gen_random_uuid(), now() - age, '', '', 1, 1 "
        "  FROM unnest(ARRAY[interval '29 days', interval '31 days']) AS age",
    )
    await Retention(database, PgEventLog(database), 30).sweep()
    assert run(database_url, "SELECT count(*) FROM messenger.webhook_attempts") == [(1,)]
    assert await PgEventLog(database).head() == (5, 3)
    early.cursor = page["next_cursor"]
    with pytest.raises(AppError) as refused:
        await early.read()
    assert refused.value.kind is errors.CURSOR_EXPIRED
    await host.read()
    assert len(host.items) == 2
    # Nor one from after the end, as a restored database may get.
    run(database_url, "UPDATE messenger.event_log_head SET last = 4")
    with pytest.raises(AppError):
        await host.read()
