"""Reads and writes read positions and unread marks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import psycopg2.errors

from chat_api.model import ReadPosition, UnreadCounts
from chat_api.storage.messages import VISIBLE
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.postgres.database import Database, Row

# Moves forward only, even if several devices write at once: the upsert checks the condition on a locked row.
# Reading always removes an unread mark, and closes the notification that devices of the user show.
_MOVE: Final = """
WITH moved AS (
    INSERT INTO messenger.read_receipts AS r (conversation_id, user_id, last_read_seq, message_id)
    SELECT m.conversation_id, %(user)s, m.seq, m.id
      FROM messenger.messages m JOIN messenger.conversations c ON c.id = m.conversation_id
     WHERE m.conversation_id = %(conversation)s AND m.seq = LEAST(%(seq)s, c.last_seq)
    ON CONFLICT (conversation_id, user_id) DO UPDATE
       SET last_read_seq = excluded.last_read_seq, message_id = excluded.message_id, read_at = now()
     WHERE r.last_read_seq < excluded.last_read_seq
    RETURNING 1
), cleared AS (
    DELETE FROM messenger.unread_marks WHERE conversation_id = %(conversation)s AND user_id = %(user)s
    RETURNING 1
), closed AS (
    DELETE FROM messenger.push_shown
     WHERE conversation_id = %(conversation)s AND user_id = %(user)s AND seq <= %(seq)s
    RETURNING seq
), queued AS (
    INSERT INTO messenger.push_queue (kind, conversation_id, user_id, seq)
    SELECT 'read', %(conversation)s, %(user)s, seq FROM closed
)
SELECT EXISTS (SELECT FROM moved), EXISTS (SELECT FROM cleared)
"""
# Marks from an existing message on. `passed` counts the messages that are never unread, once and for all.
_MARK: Final = f"""
INSERT INTO messenger.unread_marks AS k (user_id, conversation_id, from_seq, read_seq, joined_pos, passed)
SELECT p.user_id, c.id, f.seq, coalesce(r.last_read_seq, 0), p.joined_pos,
       (SELECT count(*) FROM messenger.messages m
         WHERE m.conversation_id = c.id AND m.seq >= f.seq AND m.seq <= r.last_read_seq
           AND (m.sender_id = %(user)s OR NOT {VISIBLE}))
  FROM messenger.conversations c
 CROSS JOIN LATERAL (SELECT LEAST(%(seq)s, c.last_seq) AS seq) f
  JOIN messenger.conversation_participants p
    ON p.conversation_id = c.id AND p.user_id = %(user)s AND p.left_at IS NULL
  LEFT JOIN messenger.read_receipts r ON r.conversation_id = c.id AND r.user_id = %(user)s
 WHERE c.id = %(conversation)s AND f.seq > 0
ON CONFLICT (user_id, conversation_id) DO UPDATE
   SET from_seq = excluded.from_seq, read_seq = excluded.read_seq, joined_pos = excluded.joined_pos,
       passed = excluded.passed
"""
# The mark k of a membership p with the position r. A mark is void once either has changed.
MARKED: Final = """messenger.unread_marks k
    ON k.user_id = %(user)s AND k.conversation_id = p.conversation_id AND k.joined_pos = p.joined_pos
   AND k.read_seq = coalesce(r.last_read_seq, 0)"""
# The unread count, from a conversation c, a position r and a mark k. The user's own messages are never above
# their position, so it is a difference less the deleted messages. GREATEST instead of coalesce: row-level
# security makes PostgreSQL keep expressions that may leak, such as coalesce, out of index conditions.
UNREAD: Final = f"""CASE WHEN k.from_seq IS NULL THEN
           c.last_seq - GREATEST(r.last_read_seq, 0) - (
           SELECT count(*) FROM messenger.messages d
            WHERE d.conversation_id = c.id AND d.seq > GREATEST(r.last_read_seq, 0)
              AND d.deleted_at IS NOT NULL)
       ELSE c.last_seq - k.from_seq + 1 - k.passed - (
           SELECT count(*) FROM messenger.messages m
            WHERE m.conversation_id = c.id AND m.seq >= k.from_seq
              AND m.deleted_at IS NOT NULL AND m.sender_id <> %(user)s AND {VISIBLE})
       END"""
# The mentions of the user among what UNREAD counts. A mention of all is one of those who were members then. A
# deleted message has no mentions.
UNREAD_MENTIONS: Final = f"""(
    SELECT count(*) FROM messenger.mentions m
     WHERE m.conversation_id = c.id AND m.user_id IN (%(user)s, 0)
       AND m.seq > CASE WHEN k.from_seq IS NULL THEN GREATEST(r.last_read_seq, 0) ELSE k.from_seq - 1 END
       AND m.sender_id <> %(user)s AND (m.user_id <> 0 OR m.seq > p.joined_seq) AND {VISIBLE})"""
_POSITION: Final = f"""
SELECT coalesce(r.last_read_seq, 0), {UNREAD}, {UNREAD_MENTIONS}, c.last_seq, k.from_seq,
       r.message_id::text, messenger.to_wire(coalesce(r.read_at, now()))
  FROM messenger.conversations c
  JOIN messenger.conversation_participants p ON p.conversation_id = c.id AND p.user_id = %(user)s
  LEFT JOIN messenger.read_receipts r ON r.conversation_id = c.id AND r.user_id = %(user)s
  LEFT JOIN {MARKED}
 WHERE c.id = %(conversation)s
"""
# Of other members, and therefore by a function that looks past row-level security.
_UNREAD_OF: Final = """
SELECT user_id, read_seq, unread, unread_mentions, last_seq, marked_from
  FROM messenger.unread_of(%s, %s::bigint[])
"""
# Members who joined after the message don't count as its readers.
_READERS: Final = """
SELECT r.user_id, messenger.to_wire(r.read_at)
  FROM messenger.read_receipts r
  JOIN messenger.conversation_participants p
    ON p.conversation_id = r.conversation_id AND p.user_id = r.user_id AND p.left_at IS NULL
   AND p.joined_seq < %(seq)s
 WHERE r.conversation_id = %(conversation)s AND r.last_read_seq >= %(seq)s AND r.user_id <> %(sender)s
   AND r.user_id > %(after)s
 ORDER BY r.user_id LIMIT %(limit)s
"""


class PgReceipts:
    """A ReceiptStore in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, conversation_id: str, user_id: int, seq: int) -> ReadPosition:
        parameters = {"conversation": conversation_id, "user": user_id, "seq": seq}
        [[moved, cleared]] = await self._write(_MOVE, parameters)
        return await self._position(parameters, moved=moved, cleared=cleared)

    async def mark(self, conversation_id: str, user_id: int, seq: int) -> ReadPosition:
        parameters = {"conversation": conversation_id, "user": user_id, "seq": seq}
        await self._write(_MARK, parameters)
        return await self._position(parameters, moved=False, cleared=False)

    async def _write(self, statement: str, parameters: dict[str, Any]) -> list[Row]:
        try:
            return await self._database.rows(statement, parameters, user_id=parameters["user"])
        except psycopg2.errors.InsufficientPrivilege:
            # The user was removed after the handler's check: row-level security refuses the write.
            raise AppError(errors.NOT_MEMBER) from None

    async def _position(self, parameters: dict[str, Any], *, moved: bool, cleared: bool) -> ReadPosition:
        rows = await self._database.rows(_POSITION, parameters, user_id=parameters["user"])
        [[*counts, message_id, read_at]] = rows
        return ReadPosition(
            UnreadCounts(parameters["conversation"], *counts), message_id, read_at, moved, cleared
        )

    async def unread_of(
        self, conversation_id: str, caller: int, user_ids: Sequence[int]
    ) -> list[tuple[int, UnreadCounts]]:
        rows = await self._database.rows(_UNREAD_OF, (conversation_id, list(user_ids)), user_id=caller)
        return [(user_id, UnreadCounts(conversation_id, *counts)) for user_id, *counts in rows]

    async def readers(
        self, conversation_id: str, caller: int, seq: int, sender_id: int, after: int, limit: int
    ) -> list[dict[str, Any]]:
        parameters = {
            "conversation": conversation_id,
            "seq": seq,
            "sender": sender_id,
            "after": after,
            "limit": limit,
        }
        rows = await self._database.rows(_READERS, parameters, user_id=caller)
        return [{"user_id": row[0], "read_at": row[1]} for row in rows]
