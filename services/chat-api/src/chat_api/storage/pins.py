"""Reads and writes pinned messages. A change is one transaction under the conversation's lock."""

from __future__ import annotations

from typing import Any, Final

from chat_api.model import Pins
from chat_api.rules.messages import require_allowed
from chat_api.storage.messages import (
    HISTORY_COLUMNS,
    HISTORY_JOIN,
    NEXT_POS,
    VISIBLE,
    locked_facts,
    to_history_message,
)
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.operations.pins import PINS_NAMED
from messenger_shared.postgres.database import Database

_PIN: Final = """
INSERT INTO messenger.pins (conversation_id, message_id, user_id)
VALUES (%(conversation)s, %(message)s, %(user)s) ON CONFLICT DO NOTHING RETURNING 1
"""
_UNPIN: Final = """
DELETE FROM messenger.pins WHERE conversation_id = %(conversation)s AND message_id = %(message)s RETURNING 1
"""
_MOVE: Final = """
INSERT INTO messenger.pin_heads (conversation_id, pos, user_id)
VALUES (%(conversation)s, %(pos)s, %(user)s)
ON CONFLICT (conversation_id) DO UPDATE SET pos = excluded.pos, user_id = excluded.user_id
"""
_PINNED: Final = f"""
SELECT coalesce((SELECT pos FROM messenger.pin_heads WHERE conversation_id = %(conversation)s), 0),
       ARRAY(SELECT message_id::text FROM messenger.pins WHERE conversation_id = %(conversation)s
              ORDER BY id DESC LIMIT {PINS_NAMED})
"""
_PAGE: Final = f"""
SELECT p.id, p.user_id, messenger.to_wire(p.created_at), {HISTORY_COLUMNS}
  FROM messenger.pins p JOIN messenger.messages m ON m.id = p.message_id {HISTORY_JOIN}
 WHERE p.conversation_id = %(conversation)s AND p.id < %(before)s AND {VISIBLE}
 ORDER BY p.id DESC LIMIT %(limit)s
"""


class PgPins:
    """A PinStore in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def set(self, message_id: str, user_id: int, *, is_pinned: bool) -> Pins:
        async with self._database.transaction(user_id=user_id) as transaction:
            facts = require_allowed(await locked_facts(transaction, message_id, user_id), user_id, "pin")
            if facts.deleted:
                raise AppError(errors.NOT_FOUND)
            parameters = {"conversation": facts.conversation_id, "message": message_id, "user": user_id}
            changed = bool(await transaction.rows(_PIN if is_pinned else _UNPIN, parameters))
            if changed:
                [[pos]] = await transaction.rows(NEXT_POS, (facts.conversation_id,))
                await transaction.rows(_MOVE, {**parameters, "pos": pos})
            [[pos, message_ids]] = await transaction.rows(_PINNED, parameters)
            return Pins(facts.conversation_id, pos, message_ids, changed)

    async def page(
        self, conversation_id: str, caller: int, before: int, limit: int
    ) -> list[tuple[int, dict[str, Any]]]:
        parameters = {"conversation": conversation_id, "user": caller, "before": before, "limit": limit}
        return [
            (id_, {"user_id": user_id, "pinned_at": pinned_at, "message": to_history_message(tuple(message))})
            for id_, user_id, pinned_at, *message in await self._database.rows(
                _PAGE, parameters, user_id=caller
            )
        ]
