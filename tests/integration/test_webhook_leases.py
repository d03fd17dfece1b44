"""Several processes that deliver to webhooks: each has its share, and what one leaves another takes."""

from __future__ import annotations

from contextlib import AsyncExitStack
from itertools import pairwise

import pytest

from chat_api.feed.webhooks.store import PgDeliveries
from messenger_shared.contract.errors import AppError
from messenger_shared.postgres.database import Database
from tests.integration.delivering import (
    Feed,
    Receiver,
    World,
    is_disabled,
    make_webhook,
    receiving,
    waits,
)
from tests.integration.indexing import Room
from tests.waiting import until

NAMES = ("a", "b", "c", "d")


def counts(*feeds: Feed) -> list[int]:
    """How many webhooks each of the processes delivers to."""
    return [len(feed.supervisor._dispatchers) for feed in feeds]


async def test_each_process_takes_its_share_and_all_when_the_others_are_gone(
    world: World, database: Database, rooms: list[Room], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat_api.feed.webhooks.supervisor.LEASE_S", 0.5)
    monkeypatch.setattr("chat_api.feed.webhooks.peers.DEAD_AFTER_S", 0.5)
    async with AsyncExitStack() as exits:
        receivers = {name: await exits.enter_async_context(receiving()) for name in NAMES}
        for name, receiver in receivers.items():
            await make_webhook(database, receiver, name=name)
        first = await exits.enter_async_context(world.feed())
        await until(lambda: counts(first) == [4])
        killed, stopped = world.make_feed(), world.make_feed()
        for other, end in ((killed, killed.crash), (stopped, stopped.stop)):
            await other.start()
            await until(lambda other=other: counts(first, other) == [2, 2])  # type: ignore[misc]
            for room in rooms:
                await room.send("1", "2", "3")
            first.notice(*(room.id for room in rooms))
            await end()
            for room in rooms:
                await room.send("4", "5", "6")
            first.notice(*(room.id for room in rooms))
            await until(lambda: counts(first) == [4])
        for receiver in receivers.values():
            await until(lambda receiver=receiver: _has_all(receiver, rooms))  # type: ignore[misc]
            for positions in receiver.taken.values():
                assert set(positions) == set(range(1, 14))
                # Whoever took over may repeat from some place on, and skips nothing.
                assert all(later <= earlier + 1 for earlier, later in pairwise(positions))


def _has_all(receiver: Receiver, rooms: list[Room]) -> bool:
    return all(receiver.taken.get(room.id, [])[-1:] == [13] for room in rooms)


async def test_whoever_lost_the_lease_changes_nothing_any_more(
    world: World, receiver: Receiver, rooms: list[Room], database: Database
) -> None:
    webhook, room = await make_webhook(database, receiver), rooms[0].id
    old, new = PgDeliveries(database), PgDeliveries(database)
    assert len(await old.lease(0.0, 1)) == 1
    await old.hold(webhook, room, 0, 1, None, "500", None)
    assert len(await new.lease(60.0, 1)) == 1
    there = [(room, 0, 1, True, "500")]
    for id_, was in ((room, 0), (rooms[1].id, None)):
        with pytest.raises(AppError):
            await old.hold(webhook, id_, 1, 2, 1.0, "500", was)
    assert await old.settle(webhook, room, 0, 1) is None
    await old.disable(webhook)
    assert await waits(database) == there
    assert not await is_disabled(world)
    assert await new.settle(webhook, room, 0, 1) is None
    assert await waits(database) == []
