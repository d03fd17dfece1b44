"""Reads and writes messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson
import psycopg2.errors

from chat_api.model import (
    Draft,
    Edit,
    EditedMessage,
    MessageData,
    MessageFacts,
    SentMessage,
    Verdict,
)
from chat_api.rules.messages import check_content, check_version, is_repeated_edit, require_allowed
from chat_api.rules.permissions import HOST
from chat_api.storage.mentions import as_json, effective_mentions, replace_mentions
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import SERVER
from messenger_shared.contract.schemas.mentions import MENTION_ALL_MEMBERS
from messenger_shared.postgres.database import Database, Row, Transaction

STORE_ATTEMPTS: Final = 3
# Columns of a messages row with the alias m.
MESSAGE_COLUMNS: Final = (
    "m.id::text, m.conversation_id::text, m.seq, m.pos, m.version, m.sender_id, m.content, m.type, "
    "m.client_message_id, m.reply_to::text, m.file_url, m.file_name, m.file_size, "
    "messenger.to_wire(m.created_at), messenger.to_wire(m.edited_at), messenger.to_wire(m.deleted_at), "
    "m.attachments, m.mentions"
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
    "SELECT verdict, stored_id::text, seq, pos, created_at, mentions, attachments "
    f"FROM messenger.send_messages(%s, {MENTION_ALL_MEMBERS}) ORDER BY place"
)
_ONE: Final = f"SELECT {MESSAGE_COLUMNS} FROM messenger.messages m WHERE id = %s"
_SENT: Final = (
    f"SELECT m.fingerprint, {MESSAGE_COLUMNS} FROM messenger.sent_messages(%s::uuid[], %s::bigint[]) m"
)
# Hides messages that were sent while the user was not a member.
VISIBLE: Final = """NOT EXISTS (
       SELECT FROM messenger.participant_absences a
        WHERE a.conversation_id = m.conversation_id AND a.user_id = %(user)s
          AND m.seq > a.from_seq AND m.seq <= a.to_seq)"""
# Columns of a messages row as a user reads it, with the reactions to it. They need HISTORY_JOIN.
HISTORY_COLUMNS: Final = f"""{MESSAGE_COLUMNS}, h.counts,
       CASE WHEN h.message_id IS NOT NULL THEN ARRAY(
           SELECT r.emoji FROM messenger.reactions r
            WHERE r.message_id = m.id AND r.user_id = %(user)s) END"""
HISTORY_JOIN: Final = "LEFT JOIN messenger.reaction_heads h ON h.message_id = m.id"
_PAGE: Final = f"""
SELECT {HISTORY_COLUMNS} FROM messenger.messages m {HISTORY_JOIN} WHERE m.conversation_id = %(conversation)s
"""
_BEFORE: Final = f"{_PAGE} AND seq < %(start)s AND {VISIBLE} ORDER BY seq DESC LIMIT %(limit)s"
# The newest mentions of the user, and the newest of all in each of their conversations.
_MENTIONING: Final = f"""
SELECT x.id, {HISTORY_COLUMNS}
  FROM ((SELECT m.id, m.conversation_id, m.seq FROM messenger.mentions m
          WHERE m.user_id = %(user)s AND m.id < %(before)s AND {VISIBLE} AND EXISTS (
                SELECT FROM messenger.conversation_participants p
                 WHERE p.conversation_id = m.conversation_id AND p.user_id = %(user)s AND p.left_at IS NULL)
          ORDER BY m.id DESC LIMIT %(limit)s)
        UNION ALL
        SELECT of_all.* FROM messenger.conversation_participants p CROSS JOIN LATERAL (
            SELECT m.id, m.conversation_id, m.seq FROM messenger.mentions m
             WHERE m.conversation_id = p.conversation_id AND m.user_id = 0 AND m.id < %(before)s
               AND m.sender_id <> %(user)s AND m.seq > p.joined_seq AND {VISIBLE}
             ORDER BY m.id DESC LIMIT %(limit)s) of_all
         WHERE p.user_id = %(user)s AND p.left_at IS NULL
        ORDER BY id DESC LIMIT %(limit)s) x
  JOIN messenger.messages m ON m.conversation_id = x.conversation_id AND m.seq = x.seq
  {HISTORY_JOIN} ORDER BY x.id DESC
"""
_AFTER: Final = f"{_PAGE} AND seq > %(start)s AND {VISIBLE} ORDER BY seq LIMIT %(limit)s"
# The lock is a separate statement: the next one, for the facts, then sees every commit before the lock.
_LOCK: Final = """
SELECT 1 FROM messenger.conversations WHERE id = messenger.conversation_of(%s) FOR NO KEY UPDATE
"""
# A user who has left learns only that they have left, and nothing about the message.
_FACTS: Final = f"""
SELECT c.id::text, m.seq, m.sender_id, m.version, m.content,
       m.file_url IS NOT NULL OR m.attachments IS NOT NULL, m.deleted_at IS NOT NULL, c.type, p.role,
       p.left_at IS NOT NULL, m.mentions
  FROM messenger.conversations c
  JOIN messenger.conversation_participants p ON p.conversation_id = c.id AND p.user_id = %(user)s
  LEFT JOIN messenger.messages m ON m.id = %(message)s AND {VISIBLE}
 WHERE c.id = messenger.conversation_of(%(message)s) AND c.deleted_at IS NULL
   AND (m.id IS NOT NULL OR p.left_at IS NOT NULL)
"""
# The host application acts with a server key, and is no member.
_FACTS_FOR_HOST: Final = f"""
SELECT c.id::text, m.seq, m.sender_id, m.version, m.content,
       m.file_url IS NOT NULL OR m.attachments IS NOT NULL, m.deleted_at IS NOT NULL, c.type, '{HOST}',
       false, m.mentions
  FROM messenger.messages m JOIN messenger.conversations c ON c.id = m.conversation_id
 WHERE m.id = %(message)s AND c.deleted_at IS NULL
"""
_KEEP_VERSION: Final = """
INSERT INTO messenger.message_versions (message_id, version, content, edited_at)
SELECT id, version, content, coalesce(edited_at, created_at) FROM messenger.messages WHERE id = %s
"""
NEXT_POS: Final = (
    "UPDATE messenger.conversations SET last_pos = last_pos + 1 WHERE id = %s RETURNING last_pos"
)
_EDIT: Final = (
    "UPDATE messenger.messages m SET content = %s, mentions = %s, version = version + 1, edited_at = now(), "
    f"pos = %s WHERE id = %s RETURNING {MESSAGE_COLUMNS}"
)
# What ends with the message. `changes` of these kinds don't tell of it, since the deletion does.
_FORGET: Final = """
WITH versions AS (DELETE FROM messenger.message_versions WHERE message_id = %(message)s),
     heads AS (DELETE FROM messenger.reaction_heads WHERE message_id = %(message)s),
     files AS (DELETE FROM messenger.file_heads WHERE message_id = %(message)s),
     pins AS (DELETE FROM messenger.pins
               WHERE conversation_id = %(conversation)s AND message_id = %(message)s),
     mentions AS (DELETE FROM messenger.mentions x
                   USING messenger.messages m, messenger.mention_rows(m.mentions, m.sender_id) AS of (user_id)
                   WHERE m.id = %(message)s AND x.conversation_id = m.conversation_id
                     AND x.user_id = of.user_id AND x.seq = m.seq)
DELETE FROM messenger.reactions WHERE message_id = %(message)s
"""
_UNLINK_FILES: Final = "SELECT messenger.unlink_files(%s)"
_DELETE: Final = (
    "UPDATE messenger.messages m SET content = NULL, file_url = NULL, file_name = NULL, file_size = NULL, "
    "attachments = NULL, mentions = NULL, deleted_at = now(), pos = %s "
    f"WHERE id = %s RETURNING {MESSAGE_COLUMNS}"
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
                # Another worker stored one of these at the same moment. The next attempt finds it.
                if attempt == STORE_ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    async def sent(self, ids: Sequence[str], senders: Sequence[int]) -> dict[str, SentMessage]:
        rows = await self._database.rows(_SENT, (list(ids), list(senders)))
        return {row[1]: SentMessage(to_message(row[1:]), row[0] and bytes(row[0])) for row in rows}

    async def page(
        self, conversation_id: str, caller: int, start: int, limit: int, forward: bool
    ) -> list[MessageData]:
        parameters = {"conversation": conversation_id, "user": caller, "start": start, "limit": limit}
        rows = await self._database.rows(_AFTER if forward else _BEFORE, parameters, user_id=caller)
        return [to_history_message(row) for row in rows]

    async def mentioning(self, caller: int, before: int, limit: int) -> list[tuple[int, MessageData]]:
        parameters = {"user": caller, "before": before, "limit": limit}
        rows = await self._database.rows(_MENTIONING, parameters, user_id=caller)
        return [(row[0], to_history_message(row[1:])) for row in rows]

    async def edit(self, message_id: str, user_id: int, edit: Edit) -> EditedMessage:
        async with self._database.transaction(user_id=user_id) as transaction:
            facts = await locked_facts(transaction, message_id, user_id)
            check_content(facts, edit.content)
            facts = require_allowed(facts, user_id, "edit")
            if facts.deleted:
                raise AppError(errors.NOT_FOUND)
            edit = edit._replace(mentions=await effective_mentions(transaction, facts, edit.mentions))
            if is_repeated_edit(facts, edit):
                return EditedMessage(to_message((await transaction.rows(_ONE, (message_id,)))[0]), [])
            check_version(facts, edit.expected_version)
            await transaction.rows(_KEEP_VERSION, (message_id,))
            [[pos]] = await transaction.rows(NEXT_POS, (facts.conversation_id,))
            [row] = await transaction.rows(_EDIT, (edit.content, as_json(edit.mentions), pos, message_id))
            added = await replace_mentions(transaction, message_id, facts, edit.mentions)
            return EditedMessage(to_message(row), added)

    async def delete(self, message_id: str, user_id: int) -> MessageData:
        async with self._database.transaction(user_id=user_id) as transaction:
            facts = await locked_facts(transaction, message_id, user_id)
            facts = require_allowed(facts, user_id, "delete")
            if facts.deleted:
                return to_message((await transaction.rows(_ONE, (message_id,)))[0])
            await transaction.rows(_FORGET, {"conversation": facts.conversation_id, "message": message_id})
            if facts.has_file:
                await transaction.rows(_UNLINK_FILES, (message_id,))
            [[pos]] = await transaction.rows(NEXT_POS, (facts.conversation_id,))
            return to_message((await transaction.rows(_DELETE, (pos, message_id)))[0])

    async def facts(self, message_id: str, user_id: int) -> MessageFacts | None:
        parameters = {"message": message_id, "user": user_id}
        facts = _FACTS_FOR_HOST if user_id == SERVER else _FACTS
        rows = await self._database.rows(facts, parameters, user_id=user_id)
        return MessageFacts(*rows[0]) if rows else None

    async def versions(self, message_id: str, caller: int, after: int, limit: int) -> list[dict[str, Any]]:
        rows = await self._database.rows(_VERSIONS, (message_id, after, limit), user_id=caller)
        return [{"version": row[0], "content": row[1], "edited_at": row[2]} for row in rows]


async def locked_facts(transaction: Transaction, message_id: str, user_id: int) -> MessageFacts | None:
    await transaction.rows(_LOCK, (message_id,))
    facts = _FACTS_FOR_HOST if user_id == SERVER else _FACTS
    rows = await transaction.rows(facts, {"message": message_id, "user": user_id})
    return MessageFacts(*rows[0]) if rows else None


def to_message(row: Row) -> MessageData:
    """Converts a row of MESSAGE_COLUMNS to a message.

    It has `attachments`, `mentions` and `entities` only if there are any.
    """
    *columns, attachments, mentions = row
    message = dict(zip(_NAMES, columns, strict=True))
    if attachments:
        message["attachments"] = attachments
    return message | mentions if mentions else message


def to_history_message(row: Row) -> MessageData:
    """Converts a row of HISTORY_COLUMNS to a message, with `reactions` if there are any."""
    *columns, counts, mine = row
    message = to_message(tuple(columns))
    if counts:
        message["reactions"] = [{**count, "mine": count["emoji"] in mine} for count in counts]
    return message
