"""Owns the SQL on messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson
import psycopg2.errors

from chat_api.model import Draft, MessageData, MessageFacts, Verdict
from chat_api.rules.messages import check_version, is_repeated_edit, require_allowed
from messenger_shared import errors
from messenger_shared.errors import AppError
from messenger_shared.postgres import Database, Row, Transaction

STORE_ATTEMPTS: Final = 3
# Of a row that is called m.
MESSAGE_COLUMNS: Final = (
    "m.id::text, m.conversation_id::text, m.seq, m.pos, m.version, m.sender_id, m.content, m.type, "
    "m.client_message_id, m.reply_to::text, m.file_url, m.file_name, m.file_size, "
    "messenger.to_wire(m.created_at), messenger.to_wire(m.edited_at), messenger.to_wire(m.deleted_at)"
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
_BY_IDS: Final = f"SELECT {MESSAGE_COLUMNS} FROM messenger.messages m WHERE id = ANY(%s::uuid[])"
_BEFORE: Final = (
    f"SELECT {MESSAGE_COLUMNS} FROM messenger.messages m WHERE conversation_id = %s AND seq < %s "
    "ORDER BY seq DESC LIMIT %s"
)
_AFTER: Final = (
    f"SELECT {MESSAGE_COLUMNS} FROM messenger.messages m WHERE conversation_id = %s AND seq > %s "
    "ORDER BY seq LIMIT %s"
)
_CHANGED: Final = (
    f"SELECT created_pos > %s, {MESSAGE_COLUMNS} FROM messenger.messages m "
    "WHERE conversation_id = %s AND pos > %s ORDER BY pos LIMIT %s"
)
# A statement of its own before the facts are read: they have to be those after the lock was granted.
_LOCK: Final = """
SELECT 1 FROM messenger.conversations
 WHERE id = (SELECT conversation_id FROM messenger.messages WHERE id = %s) FOR NO KEY UPDATE
"""
_FACTS: Final = """
SELECT m.conversation_id::text, m.seq, m.sender_id, m.version, m.content, m.deleted_at IS NOT NULL, c.type,
       p.role, p.left_at IS NOT NULL
  FROM messenger.messages m
  JOIN messenger.conversations c ON c.id = m.conversation_id AND c.deleted_at IS NULL
  LEFT JOIN messenger.conversation_participants p
         ON p.conversation_id = m.conversation_id AND p.user_id = %s
 WHERE m.id = %s
"""
_KEEP_VERSION: Final = """
INSERT INTO messenger.message_versions (message_id, version, content, edited_at)
SELECT id, version, content, coalesce(edited_at, created_at) FROM messenger.messages WHERE id = %s
"""
_NEXT_POS: Final = (
    "UPDATE messenger.conversations SET last_pos = last_pos + 1 WHERE id = %s RETURNING last_pos"
)
_EDIT: Final = (
    "UPDATE messenger.messages m SET content = %s, version = version + 1, edited_at = now(), pos = %s "
    f"WHERE id = %s RETURNING {MESSAGE_COLUMNS}"
)
_FORGET_VERSIONS: Final = "DELETE FROM messenger.message_versions WHERE message_id = %s"
_DELETE: Final = (
    "UPDATE messenger.messages m SET content = NULL, file_url = NULL, file_name = NULL, file_size = NULL, "
    f"deleted_at = now(), pos = %s WHERE id = %s RETURNING {MESSAGE_COLUMNS}"
)
_VERSIONS: Final = (
    "SELECT version, content, messenger.to_wire(edited_at) FROM messenger.message_versions "
    "WHERE message_id = %s AND version > %s ORDER BY version LIMIT %s"
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

    async def changed_after(
        self, conversation_id: str, pos: int, limit: int
    ) -> list[tuple[MessageData, bool]]:
        rows = await self._database.rows(_CHANGED, (pos, conversation_id, pos, limit))
        return [(to_message(row[1:]), row[0]) for row in rows]

    async def edit(
        self, message_id: str, user_id: int, content: str, expected_version: int | None
    ) -> MessageData:
        async with self._database.transaction() as transaction:
            facts = await _locked_facts(transaction, message_id, user_id)
            facts = require_allowed(facts, user_id, "edit")
            if facts.deleted:
                raise AppError(errors.NOT_FOUND)
            if is_repeated_edit(facts, content, expected_version):
                return to_message((await transaction.rows(_BY_IDS, ([message_id],)))[0])
            check_version(facts, expected_version)
            await transaction.rows(_KEEP_VERSION, (message_id,))
            [[pos]] = await transaction.rows(_NEXT_POS, (facts.conversation_id,))
            return to_message((await transaction.rows(_EDIT, (content, pos, message_id)))[0])

    async def delete(self, message_id: str, user_id: int) -> MessageData:
        async with self._database.transaction() as transaction:
            facts = await _locked_facts(transaction, message_id, user_id)
            facts = require_allowed(facts, user_id, "delete")
            if facts.deleted:
                return to_message((await transaction.rows(_BY_IDS, ([message_id],)))[0])
            await transaction.rows(_FORGET_VERSIONS, (message_id,))
            [[pos]] = await transaction.rows(_NEXT_POS, (facts.conversation_id,))
            return to_message((await transaction.rows(_DELETE, (pos, message_id)))[0])

    async def facts(self, message_id: str, user_id: int) -> MessageFacts | None:
        rows = await self._database.rows(_FACTS, (user_id, message_id))
        return MessageFacts(*rows[0]) if rows else None

    async def versions(self, message_id: str, after: int, limit: int) -> list[dict[str, Any]]:
        rows = await self._database.rows(_VERSIONS, (message_id, after, limit))
        return [{"version": row[0], "content": row[1], "edited_at": row[2]} for row in rows]


async def _locked_facts(transaction: Transaction, message_id: str, user_id: int) -> MessageFacts | None:
    await transaction.rows(_LOCK, (message_id,))
    rows = await transaction.rows(_FACTS, (user_id, message_id))
    return MessageFacts(*rows[0]) if rows else None


def to_message(row: Row) -> MessageData:
    """The message in a row of MESSAGE_COLUMNS."""
    return dict(zip(_NAMES, row, strict=True))
