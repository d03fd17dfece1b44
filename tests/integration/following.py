"""Conversations that move, and consumers that follow them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from typing import Any

import psycopg2

from chat_api.feed.agenda import Agenda
from chat_api.feed.consumer import Claim, Consumer, Lease
from chat_api.feed.cursors import FIRST_ID, PAGE, PgCursors
from chat_api.feed.follower import Follower
from messenger_shared.contract.identifiers import new_id
from messenger_shared.postgres.database import Database
from tests.waiting import eventually

NAME = "recorder"


class Recorder:
    """Notes which positions of which conversation it was handed, and advances afterwards."""

    name = NAME
    gather_s = 0.0

    def __init__(self) -> None:
        self.handled: defaultdict[str, list[int]] = defaultdict(list)
        self.batches: list[int] = []
        # Each batch waits for this.
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        # How often each of these conversations is still to fail, and with what.
        self.failing: dict[str, list[Exception]] = {}

    async def handle(self, claims: Sequence[Claim], lease: Lease) -> Mapping[str, int]:
        self.batches.append(len(claims))
        await self.may_go_on.wait()
        for claim in claims:
            if self.failing.get(claim.conversation_id):
                raise self.failing[claim.conversation_id].pop()
        for claim in claims:
            self.handled[claim.conversation_id] += range(claim.pos + 1, claim.last_pos + 1)
        positions = {claim.conversation_id: claim.last_pos for claim in claims}
        held = await lease.advance(positions)
        return {id_: pos for id_, pos in positions.items() if id_ in held}


@asynccontextmanager
async def following(
    database: Database, consumer: Consumer, agenda: Agenda | None = None, page: int = PAGE
) -> AsyncIterator[Follower]:
    """Yields a follower at work."""
    cursors = PgCursors(database, consumer.name, page)
    follower = Follower(consumer, cursors, Agenda() if agenda is None else agenda)
    await follower.start()
    try:
        yield follower
    finally:
        await follower.stop()


async def caught_up(database: Database, name: str = NAME) -> None:
    """Returns when the consumer has handled everything."""

    async def is_behind() -> bool:
        page = await PgCursors(database, name).behind(FIRST_ID)
        return bool(page.conversation_ids)

    async def is_caught_up() -> bool:
        return not await is_behind()

    await eventually(is_caught_up)


def move(url: str, ids: Sequence[str], by: int = 1) -> None:
    """Takes positions in these conversations, as changes do."""
    run(
        url,
        "UPDATE messenger.conversations SET last_pos = last_pos + %s WHERE id = ANY (%s::uuid[])",
        by,
        ids,
    )


def conversations(url: str, count: int) -> list[str]:
    """Makes conversations with one position each."""
    ids = [new_id() for _ in range(count)]
    run(
        url,
        "INSERT INTO messenger.conversations (id, type, created_by, last_pos) "
        "SELECT id, 'group', 1, 1 FROM unnest(%s::uuid[]) AS id",
        ids,
    )
    return ids


def run(url: str, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    """Runs the statement past all policies, and returns its rows."""
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else []
