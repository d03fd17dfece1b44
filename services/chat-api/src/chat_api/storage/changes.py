"""Owns the SQL on what a gateway missed: all that changed in a conversation since a pos."""

from __future__ import annotations

from typing import Final

from chat_api.model import MemberChange, Missed
from chat_api.storage.conversations import HEADS
from chat_api.storage.messages import MESSAGE_COLUMNS, SEEN, to_message
from messenger_shared.postgres import Database

_CHANGED: Final = f"""
SELECT created_pos > %(pos)s, {MESSAGE_COLUMNS}
  FROM messenger.changed_messages(%(conversation)s, %(pos)s, %(limit)s) m
"""
_CHANGED_FOR: Final = f"""
SELECT created_pos > %(pos)s, {MESSAGE_COLUMNS} FROM messenger.messages m
 WHERE conversation_id = %(conversation)s AND pos > %(pos)s AND {SEEN} ORDER BY pos LIMIT %(limit)s
"""
_CHANGED_PARTICIPANTS: Final = """
SELECT CASE WHEN is_left THEN 'removed' WHEN joined_pos > %(pos)s THEN 'added' ELSE 'updated' END,
       user_id, role, pos
  FROM messenger.changed_participants(%(conversation)s, %(pos)s, %(limit)s)
"""
_TITLE_AFTER: Final = """
SELECT pos, id::text, type, title, created_by, messenger.to_wire(created_at)
  FROM messenger.title_change(%(conversation)s, %(pos)s)
"""
_TITLE_NAMES: Final = ("id", "type", "title", "created_by", "created_at")


class PgChanges:
    """A ChangeStore in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def missed(self, conversation_id: str, caller: int, pos: int, limit: int) -> Missed | None:
        parameters = {"conversation": conversation_id, "user": caller, "pos": pos, "limit": limit}
        # One moment: else what was committed between two of these would be there by halves.
        async with self._database.snapshot(user_id=caller or None) as snapshot:
            heads = await snapshot.rows(HEADS, ([conversation_id],))
            if not heads:
                return None
            messages = await snapshot.rows(_CHANGED_FOR if caller else _CHANGED, parameters)
            members = await snapshot.rows(_CHANGED_PARTICIPANTS, parameters)
            titles = await snapshot.rows(_TITLE_AFTER, parameters)
        return Missed(
            heads[0][1],
            [(to_message(row[1:]), row[0]) for row in messages],
            [MemberChange(*row) for row in members],
            (titles[0][0], dict(zip(_TITLE_NAMES, titles[0][1:], strict=True))) if titles else None,
        )
