"""Owns the SQL on messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import orjson
import psycopg2.errors

from chat_api.model import Draft, MessageData, Verdict
from messenger_shared.postgres import Database, Row

STORE_ATTEMPTS: Final = 3
_COLUMNS: Final = (
    "id::text, conversation_id::text, seq, pos, version, sender_id, content, type, client_message_id, "
    "reply_to::text, file_url, file_name, file_size, messenger.to_wire(created_at), "
    "messenger.to_wire(edited_at), messenger.to_wire(deleted_at)"
)
_NAMES: Final = (
    "id",
    "conversation_id",
    "seq",
    "pos",
    "version",
    "sender_id",
    "content",
    "message_type",
    "client_message_id",
    "reply_to",
    "file_url",
    "file_name",
    "file_size",
    "created_at",
    "edited_at",
    "deleted_at",
)
_STORE: Final = (
    "SELECT verdict, stored_id::text, seq, pos, created_at FROM messenger.send_messages(%s) ORDER BY place"
)
_BY_IDS: Final = f"SELECT {_COLUMNS} FROM messenger.messages WHERE id = ANY(%s::uuid[])"
_BEFORE: Final = (
    f"SELECT {_COLUMNS} FROM messenger.messages WHERE conversation_id = %s AND seq < %s "
    "ORDER BY seq DESC LIMIT %s"
)
_AFTER: Final = (
    f"SELECT {_COLUMNS} FROM messenger.messages WHERE conversation_id = %s AND seq > %s ORDER BY seq LIMIT %s"
)
_CHANGED: Final = (
    f"SELECT {_COLUMNS} FROM messenger.messages WHERE conversation_id = %s AND pos > %s ORDER BY pos LIMIT %s"
)


class PgMessages:
    """A MessageStore in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def store(self, drafts: Sequence[Draft]) -> list[Verdict]:
        batch = orjson.dumps(drafts).decode()
        for attempt in range(1, STORE_ATTEMPTS + 1):
            try:
                rows = await self._database.rows(_STORE, (batch,))
                return [Verdict(*row) for row in rows]
            except psycopg2.errors.UniqueViolation:
                # Another worker stored one of these at this very moment; now it is there to be found.
                if attempt == STORE_ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    async def by_ids(self, ids: Sequence[str]) -> dict[str, MessageData]:
        rows = await self._database.rows(_BY_IDS, (list(ids),))
        return {row[0]: to_message(row) for row in rows}

    async def page(self, conversation_id: str, start: int, limit: int, forward: bool) -> list[MessageData]:
        sql = _AFTER if forward else _BEFORE
        return [to_message(row) for row in await self._database.rows(sql, (conversation_id, start, limit))]

    async def changed_after(self, conversation_id: str, pos: int, limit: int) -> list[MessageData]:
        rows = await self._database.rows(_CHANGED, (conversation_id, pos, limit))
        return [to_message(row) for row in rows]


def to_message(row: Row) -> MessageData:
    """The message in a row of _COLUMNS."""
    return dict(zip(_NAMES, row, strict=True))
