"""What a gateway missed, from real PostgreSQL, while everybody goes on writing."""

from __future__ import annotations

import asyncio

from chat_api.model import NewConversation
from chat_api.storage.changes import PgChanges
from chat_api.storage.conversations import PgConversations
from chat_api.storage.messages import PgMessages
from chat_api.storage.participants import PgParticipants
from messenger_shared.identifiers import new_id
from messenger_shared.postgres import Database
from tests.integration.test_sending import draft

ADMIN, MEMBER = 1, 2
NEWCOMERS = range(100, 180)
LIMIT = 5_000


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
            await participants.add(room, ADMIN, [user_id], "member")

    writing = asyncio.gather(talk(), invite())
    reads = 0
    while not writing.done():
        missed = await changes.missed(room, 0, 1, LIMIT)
        assert missed is not None
        positions = [message["pos"] for message, _ in missed.messages] + [m.pos for m in missed.members]
        assert sorted(pos for pos in positions if pos > 1) == list(range(2, missed.head + 1))
        reads += 1
    await writing
    assert reads > 1
