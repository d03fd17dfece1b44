"""Owns the SQL on read positions."""

from __future__ import annotations

from typing import Any, Final

import psycopg2.errors

from chat_api.model import ReadPosition
from messenger_shared import errors
from messenger_shared.errors import AppError
from messenger_shared.postgres import Database

# Forward only, over any number of devices at once: the condition is on the row that the upsert has locked.
_MOVE: Final = """
INSERT INTO messenger.read_receipts AS r (conversation_id, user_id, last_read_seq, message_id)
SELECT m.conversation_id, %(user)s, m.seq, m.id
  FROM messenger.messages m JOIN messenger.conversations c ON c.id = m.conversation_id
 WHERE m.conversation_id = %(conversation)s AND m.seq = LEAST(%(seq)s, c.last_seq)
ON CONFLICT (conversation_id, user_id) DO UPDATE
   SET last_read_seq = excluded.last_read_seq, message_id = excluded.message_id, read_at = now()
 WHERE r.last_read_seq < excluded.last_read_seq
RETURNING 1
"""
# Of a conversation c and a position r. His own messages are never above his position, so what is unread is a
# difference, less what was deleted. GREATEST and not coalesce: row-level security keeps a function that may
# leak out of the index's condition.
UNREAD: Final = """c.last_seq - GREATEST(r.last_read_seq, 0) - (
           SELECT count(*) FROM messenger.messages d
            WHERE d.conversation_id = c.id AND d.seq > GREATEST(r.last_read_seq, 0)
              AND d.deleted_at IS NOT NULL)"""
_STANDING: Final = f"""
SELECT r.message_id::text, coalesce(r.last_read_seq, 0), messenger.to_wire(coalesce(r.read_at, now())),
       {UNREAD}, c.last_seq
  FROM messenger.conversations c
  LEFT JOIN messenger.read_receipts r ON r.conversation_id = c.id AND r.user_id = %(user)s
 WHERE c.id = %(conversation)s
"""
# Whoever came in later has read nothing of what was said before.
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
        try:
            moved = await self._database.rows(_MOVE, parameters, user_id=user_id)
        except psycopg2.errors.InsufficientPrivilege:
            # He was removed since it was asked whether he is in: row-level security takes no position of his.
            raise AppError(errors.NOT_MEMBER) from None
        rows = await self._database.rows(_STANDING, parameters, user_id=user_id)
        [[message_id, read_seq, read_at, unread, last_seq]] = rows
        return ReadPosition(conversation_id, message_id, read_seq, read_at, unread, last_seq, bool(moved))

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
