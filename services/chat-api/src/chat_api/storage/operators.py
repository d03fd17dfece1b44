"""Runs the admin commands on conversations. Migration 0005 has the SQL functions."""

from __future__ import annotations

from typing import Final

from chat_api.model import MemberChange, MessageData
from chat_api.storage.messages import MESSAGE_COLUMNS, to_message
from messenger_shared.postgres.database import Database

_CLOSE: Final = "SELECT user_id, role, pos FROM messenger.close_conversation(%s) ORDER BY pos"
# A message is new if this transaction created it.
_POST: Final = f"""
SELECT m.created_at = now(), {MESSAGE_COLUMNS} FROM messenger.post_system_message(%s, %s, %s) m
"""


class PgOperators:
    """An OperatorStore in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def close(self, conversation_id: str) -> list[MemberChange]:
        return [
            MemberChange("removed", *row) for row in await self._database.rows(_CLOSE, (conversation_id,))
        ]

    async def post(
        self, conversation_id: str, message_id: str, content: str
    ) -> tuple[MessageData, bool] | None:
        rows = await self._database.rows(_POST, (conversation_id, message_id, content))
        return (to_message(rows[0][1:]), rows[0][0]) if rows else None
