"""The permission to write is defined twice, in the rules and in the SQL function that stores batches: they
agree.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from chat_api.model import Draft, NewConversation
from chat_api.rules.permissions import ALLOWED, ROLES, Action
from chat_api.storage.conversations import PgConversations
from chat_api.storage.messages import PgMessages
from messenger_shared.contract.identifiers import new_id
from messenger_shared.postgres.database import Database
from tests.databases import logged_in

STRANGER = 99


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with logged_in(database_url) as database:
        yield database


@pytest.mark.parametrize("type_", ALLOWED)
async def test_the_function_that_sends_agrees_with_the_table_of_rules(database: Database, type_: str) -> None:
    roles = dict(enumerate(ROLES, start=1))
    key = "1:2" if type_ == "direct" else None
    new = NewConversation(new_id(), type_, None if key else "a title", 1, roles, key)
    assert await PgConversations(database).create(new) == (new.id, True)
    senders = [*roles, STRANGER]
    drafts = [
        Draft(new_id(), new.id, sender, None, "text", "hi", None, None, None, None) for sender in senders
    ]
    verdicts = await PgMessages(database).store(drafts)
    may_write = ALLOWED[type_][Action.WRITE]
    expected = ["stored" if role in may_write else "forbidden" for role in roles.values()]
    assert [verdict.verdict for verdict in verdicts] == [*expected, "not_found"]
