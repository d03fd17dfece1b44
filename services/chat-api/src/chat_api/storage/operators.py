"""Runs the admin commands on conversations. Migrations 0005 and 0010 have the SQL functions."""

from __future__ import annotations

from typing import Final

from chat_api.model import MemberChange, MentionsData, MessageData
from chat_api.rules.mentions import mentions_all
from chat_api.storage.mentions import as_json, is_crowd
from chat_api.storage.messages import MESSAGE_COLUMNS, to_message
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.postgres.database import Database

_CLOSE: Final = "SELECT user_id, role, pos FROM messenger.close_conversation(%s) ORDER BY pos"
# A message is new if this transaction created it.
_POST: Final = f"""
SELECT m.created_at = now(), {MESSAGE_COLUMNS} FROM messenger.post_system_message(%s, %s, %s, %s) m
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
        self, conversation_id: str, message_id: str, content: str, mentions: MentionsData | None
    ) -> tuple[MessageData, bool] | None:
        if mentions_all(mentions) and await is_crowd(self._database, conversation_id):
            raise AppError(errors.MENTION_ALL_REFUSED)
        rows = await self._database.rows(_POST, (conversation_id, message_id, content, as_json(mentions)))
        return (to_message(rows[0][1:]), rows[0][0]) if rows else None
