"""Reads and writes conversations for a host application, by the host's own keys."""

from __future__ import annotations

from typing import Any, Final

import orjson

from chat_api.model import MemberChange, NewConversation
from chat_api.storage.conversations import insert_conversation
from chat_api.storage.participants import PRESENT_MEMBERS, join, lock_conversation
from chat_api.storage.users import require_users
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import SERVER
from messenger_shared.postgres.database import Database, Transaction

# Requests with the same key wait for each other, so that they make one conversation.
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
_BY_KEY: Final = """
SELECT c.id::text, c.type, c.direct_key FROM messenger.conversation_keys k
  JOIN messenger.conversations c ON c.id = k.conversation_id
 WHERE k.external_key = %s AND c.deleted_at IS NULL
"""
_BY_DIRECT_KEY: Final = "SELECT id::text FROM messenger.conversations WHERE direct_key = %s"
# The key of a conversation that was closed is free again.
_SET_KEY: Final = """
INSERT INTO messenger.conversation_keys (external_key, conversation_id) VALUES (%s, %s)
ON CONFLICT (external_key) DO UPDATE SET conversation_id = excluded.conversation_id
"""
_SET_CUSTOM: Final = "UPDATE messenger.conversations SET custom = %s WHERE id = %s"
_EXTRAS: Final = """
SELECT c.custom, ARRAY(SELECT k.external_key FROM messenger.conversation_keys k
                        WHERE k.conversation_id = c.id ORDER BY k.external_key)
  FROM messenger.conversations c WHERE c.id = %s AND c.deleted_at IS NULL
"""


class PgServerConversations:
    """A ServerConversationStore in PostgreSQL."""

    def __init__(self, database: Database, *, may_create_users: bool = True) -> None:
        self._database = database
        self._may_create_users = may_create_users

    async def ensure(
        self, key: str, new: NewConversation, custom: dict[str, Any] | None
    ) -> tuple[str, bool, list[MemberChange]]:
        async with self._database.transaction(user_id=SERVER) as transaction:
            await transaction.rows(_LOCK, (key,))
            if rows := await transaction.rows(_BY_KEY, (key,)):
                id_, type_, direct_key = rows[0]
                if type_ != new.type or direct_key != new.direct_key:
                    raise AppError(errors.KEY_CONFLICT)
                return id_, False, await self._add_missing(transaction, id_, new)
            created = await insert_conversation(transaction, new, may_create_users=self._may_create_users)
            id_ = new.id if created else await _direct(transaction, new)
            await transaction.rows(_SET_KEY, (key, id_))
            if custom is not None:
                await transaction.rows(_SET_CUSTOM, (orjson.dumps(custom).decode(), id_))
            return id_, created, []

    async def by_key(self, key: str) -> str | None:
        rows = await self._database.rows(_BY_KEY, (key,), user_id=SERVER)
        return rows[0][0] if rows else None

    async def extras(self, conversation_id: str) -> tuple[dict[str, Any], list[str]] | None:
        rows = await self._database.rows(_EXTRAS, (conversation_id,), user_id=SERVER)
        return (rows[0][0] or {}, rows[0][1]) if rows else None

    async def _add_missing(
        self, transaction: Transaction, conversation_id: str, new: NewConversation
    ) -> list[MemberChange]:
        if new.type == "direct":
            return []  # Its direct key says that its members are the same.
        state = await lock_conversation(transaction, conversation_id, SERVER)
        rows = await transaction.rows(PRESENT_MEMBERS, (conversation_id, list(new.members)))
        present = {row[0] for row in rows}
        missing = [user for user in new.members if user not in present]
        if missing:
            await require_users(transaction, missing, "participant_ids", may_create=self._may_create_users)
            await join(transaction, conversation_id, missing, "member", state)
        return [MemberChange("added", user, "member", state.last_pos + 1) for user in missing]


async def _direct(transaction: Transaction, new: NewConversation) -> str:
    """The direct conversation that the two users have already."""
    rows = await transaction.rows(_BY_DIRECT_KEY, (new.direct_key,))
    if not rows:
        raise AppError(errors.INTERNAL)  # The id belongs to a conversation with another key.
    return str(rows[0][0])
