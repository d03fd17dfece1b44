"""Which users share a conversation, as chat-api's own role in real PostgreSQL."""

from __future__ import annotations

from chat_api.rules.conversations import new_conversation
from chat_api.storage.contacts import PgContacts
from chat_api.storage.conversations import PgConversations
from chat_api.storage.participants import PgParticipants
from messenger_shared.contract.identifiers import new_id
from messenger_shared.postgres.database import Database

ME, FRIEND, COLLEAGUE, STRANGER, NOBODY = 1, 2, 3, 4, 2**52


async def create(database: Database, founder: int, *others: int, type_: str = "group") -> str:
    title = None if type_ == "direct" else "title"
    new = new_conversation(new_id(), type_, title, founder, others)
    id_, _ = await PgConversations(database).create(new)
    return id_


async def test_contacts_are_those_in_a_conversation_with_one_now(database: Database) -> None:
    contacts, participants = PgContacts(database), PgParticipants(database)
    room = await create(database, ME, FRIEND, COLLEAGUE)
    direct = await create(database, FRIEND, ME, type_="direct")
    await create(database, STRANGER, COLLEAGUE)
    asked = [STRANGER, COLLEAGUE, NOBODY, FRIEND, ME]
    assert set(await contacts.among(ME, asked)) == {COLLEAGUE, FRIEND, ME}
    assert set(await contacts.among(STRANGER, asked)) == {COLLEAGUE, STRANGER}
    assert await contacts.among(NOBODY, asked) == []
    # A direct conversation that was left still counts.
    await participants.leave(direct, ME)
    await participants.leave(room, FRIEND)
    assert set(await contacts.among(ME, asked)) == {COLLEAGUE, FRIEND, ME}
    await participants.leave(room, COLLEAGUE)
    assert set(await contacts.among(ME, asked)) == {FRIEND, ME}
    assert set(await contacts.among(COLLEAGUE, asked)) == {STRANGER, COLLEAGUE}


async def test_contacts_come_in_pages_by_id_each_once(database: Database) -> None:
    contacts, participants = PgContacts(database), PgParticipants(database)
    users = range(10, 30)
    first = await create(database, ME, *users[:12])
    await create(database, ME, *users[8:])
    await participants.leave(first, users[0])
    found, after = [], 0
    while page := await contacts.page(ME, after, 6):
        found += page
        after = page[-1]
        assert len(page) <= 6
    assert found == [ME, *users[1:]]
    assert await contacts.page(NOBODY, 0, 6) == []
