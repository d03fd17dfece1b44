"""What operators do to a conversation, in real PostgreSQL: once, without holes in the numbers, without a
user.
"""

from __future__ import annotations

import asyncio
from contextlib import closing

import psycopg2
import pytest

from chat_api.check import audit
from chat_api.model import Draft
from chat_api.rules.conversations import new_conversation
from chat_api.storage.conversations import PgConversations
from chat_api.storage.messages import PgMessages
from chat_api.storage.operators import PgOperators
from messenger_shared.contract.identifiers import new_id
from messenger_shared.postgres.database import Database


@pytest.fixture
async def room(database: Database) -> str:
    """Returns a conversation with three members."""
    new = new_conversation(new_id(), "group", "t", 1, [2, 3])
    return (await PgConversations(database).create(new))[0]


async def test_a_message_of_the_system_is_stored_once_among_those_of_people(
    database: Database, database_url: str, room: str
) -> None:
    messages, operators, id_ = PgMessages(database), PgOperators(database), new_id()
    drafts = [Draft(new_id(), room, 1, None, "text", "x", None, None, None, None) for _ in range(20)]
    posted, *stored = await asyncio.gather(
        operators.post(room, id_, "hear", None), *(messages.store([draft]) for draft in drafts)
    )
    assert posted is not None
    assert await operators.post(room, id_, "hear", None) == (posted[0], False)
    posted, is_new = posted
    assert is_new
    assert (posted["message_type"], posted["sender_id"], posted["version"]) == ("system", 0, 1)
    assert sorted([posted["seq"], *(found[0].seq for found in stored)]) == list(range(1, 22))
    assert findings(database_url) == []


async def test_closing_removes_each_member_with_a_pos_of_his_own(
    database: Database, database_url: str, room: str
) -> None:
    operators = PgOperators(database)
    one, other = await asyncio.gather(operators.close(room), operators.close(room))
    assert [(change.user_id, change.pos) for change in one or other] == [(1, 2), (2, 3), (3, 4)]
    assert one == [] or other == []
    assert await operators.post(room, new_id(), "late", None) is None
    assert await PgConversations(database).last_positions([room]) == {room: 4}
    assert findings(database_url) == []


async def test_there_is_nothing_to_do_where_there_is_no_conversation(database: Database) -> None:
    operators = PgOperators(database)
    assert await operators.close(new_id()) == []
    assert await operators.post(new_id(), new_id(), "x", None) is None


def findings(url: str) -> list[str]:
    """Returns the findings of the audit."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        return audit(cursor)
