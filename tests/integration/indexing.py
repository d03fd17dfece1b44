"""Messages to be indexed, and what the search index has of them."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg2

from chat_api.feed.cursors import PgCursors
from chat_api.feed.held_lease import HeldLease
from chat_api.feed.indexer import Indexer
from chat_api.model import Draft, Edit, NewConversation
from chat_api.search_check import compare_index
from chat_api.storage.conversations import PgConversations
from chat_api.storage.messages import PgMessages
from messenger_shared.contract.identifiers import new_id
from messenger_shared.postgres.database import Database
from tests.integration.following import run

ADMIN, MEMBER = 1, 2


class Room:
    """A conversation of two members."""

    def __init__(self, database: Database, url: str) -> None:
        self.id = new_id()
        self._database = database
        self._url = url
        self._messages = PgMessages(database)

    async def create(self) -> Room:
        """Creates it."""
        members = {ADMIN: "admin", MEMBER: "member"}
        new = NewConversation(self.id, "group", "t", ADMIN, members, None)
        await PgConversations(self._database).create(new)
        return self

    async def send(self, *contents: str, sender_id: int = ADMIN, file_name: str | None = None) -> list[str]:
        """Sends messages, and returns their ids."""
        url, size = (f"https://files.example/{file_name}", 1) if file_name else (None, None)
        drafts = [
            Draft(new_id(), self.id, sender_id, None, "text", content, url, file_name, size, None)
            for content in contents
        ]
        assert {verdict.verdict for verdict in await self._messages.store(drafts)} == {"stored"}
        return [draft.id for draft in drafts]

    async def edit(self, message_id: str, content: str) -> None:
        """Edits a message of the admin's."""
        await self._messages.edit(message_id, ADMIN, Edit(content, None, None))

    async def delete(self, message_id: str) -> None:
        """Deletes a message."""
        await self._messages.delete(message_id, ADMIN)

    async def index(self) -> None:
        """Lets the indexer handle the conversation once."""
        cursors, token = PgCursors(self._database, Indexer.name), new_id()
        claimed = await cursors.claim([self.id], token)
        await Indexer(self._database).handle(claimed.claims, HeldLease(cursors, token))

    @property
    def blocks(self) -> list[tuple[Any, ...]]:
        """The first and the last seq of each block."""
        where = "conversation_id = %s ORDER BY first_seq"
        return run(
            self._url, f"SELECT first_seq, last_seq FROM messenger.search_blocks WHERE {where}", self.id
        )

    @property
    def grams(self) -> set[int]:
        """The grams of all blocks."""
        sql = "SELECT DISTINCT unnest(grams) FROM messenger.search_blocks WHERE conversation_id = %s"
        return {row[0] for row in run(self._url, sql, self.id)}


def findings(url: str) -> list[str]:
    """What the audit finds in the index."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        cursor.execute("SET ROLE messenger_definer")
        return compare_index(cursor)
