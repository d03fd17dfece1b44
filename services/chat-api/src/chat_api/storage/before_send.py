"""Reads what matters of a message before it is stored."""

from __future__ import annotations

from typing import Final

from chat_api.before_send.checks import SendFacts
from chat_api.model import Draft
from messenger_shared.postgres.database import Database

_FACTS: Final = """
SELECT c.type, p.role,
       EXISTS (SELECT FROM messenger.messages m WHERE m.id = %(message)s)
       OR EXISTS (SELECT FROM messenger.messages m
                   WHERE m.sender_id = %(user)s AND m.client_message_id = %(client_id)s),
       ARRAY(SELECT f.name FROM messenger.files f WHERE f.id = ANY (%(files)s::uuid[]))
  FROM messenger.conversation_participants p
  JOIN messenger.conversations c ON c.id = p.conversation_id
 WHERE p.conversation_id = %(conversation)s AND p.user_id = %(user)s AND p.left_at IS NULL
   AND c.deleted_at IS NULL
"""


class PgSendFacts:
    """A SendFactsStore in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, draft: Draft) -> SendFacts | None:
        """The facts; None if the sender is no member of the conversation."""
        parameters = {
            "message": draft.id,
            "user": draft.sender_id,
            "client_id": draft.client_message_id,
            "conversation": draft.conversation_id,
            "files": draft.attachments or [],
        }
        rows = await self._database.rows(_FACTS, parameters, user_id=draft.sender_id)
        return SendFacts(*rows[0]) if rows else None
