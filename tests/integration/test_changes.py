"""The changes that a gateway missed, read from real PostgreSQL while others go on writing."""

from __future__ import annotations

import asyncio

from chat_api.model import NewConversation
from chat_api.storage.changes import PgChanges
from chat_api.storage.conversations import PgConversations
from chat_api.storage.messages import PgMessages
from chat_api.storage.participants import PgParticipants
from messenger_shared.contract.events import joined
from messenger_shared.contract.identifiers import new_id
from messenger_shared.postgres.database import Database
from tests.integration.test_sending import draft

ADMIN, MEMBER = 1, 2
NEWCOMERS = range(100, 180)


async def test_what_was_missed_has_no_hole_up_to_its_head_whatever_is_written_meanwhile(
    database: Database,
) -> None:
    room = new_id()
    members = {ADMIN: "admin", MEMBER: "member"}
    await PgConversations(database).create(NewConversation(room, "group", "title", ADMIN, members, None))
    messages, participants, changes = PgMessages(database), PgParticipants(database), PgChanges(database)

    async def talk() -> None:
        for n in range(200):
            await messages.store([draft(room, str(n))])

    async def invite() -> None:
        for user_id in NEWCOMERS:
            await participants.add(room, ADMIN, [user_id, user_id + 1_000], "member")

    writing = asyncio.gather(talk(), invite())
    reads = 0
    while not writing.done():
        missed = await changes.after(room, 0, 1)
        assert missed is not None
        assert [event.pos for event in missed.events] == list(range(2, missed.to + 1))
        reads += 1
    await writing
    assert reads > 1


async def test_who_came_together_is_not_parted_by_a_limit(database: Database) -> None:
    room = new_id()
    await PgConversations(database).create(
        NewConversation(room, "group", "title", ADMIN, {ADMIN: "admin"}, None)
    )
    participants, changes = PgParticipants(database), PgChanges(database, max_rows=60)
    for first in (100, 200, 300):
        added = await participants.add(room, ADMIN, range(first, first + 50), "member")
        assert {change.pos for change in added} == {first // 100 + 1}
    missed = await changes.after(room, 0, 1)
    assert missed is not None
    assert [sorted(joined(event)) for event in missed.events] == [[*range(100, 150)], [*range(200, 250)]]
    assert missed.to == 3
