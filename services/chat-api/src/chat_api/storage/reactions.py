"""Reads and writes reactions to messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson

from chat_api.model import Reaction, ReactionVerdict
from messenger_shared.postgres.database import Database

_SET: Final = """
SELECT verdict, conversation_id::text, pos, counts, mine
  FROM messenger.set_reactions(%s, %s, %s) ORDER BY place
"""
_PAGE: Final = """
SELECT id, user_id, emoji, messenger.to_wire(created_at) FROM messenger.reactions
 WHERE message_id = %(message)s AND id > %(after)s AND (%(emoji)s IS NULL OR emoji = %(emoji)s)
 ORDER BY id LIMIT %(limit)s
"""


class PgReactions:
    """A ReactionStore in PostgreSQL. `roles` may react, with at most `max_emoji` emoji on a message."""

    def __init__(self, database: Database, roles: Sequence[str], max_emoji: int) -> None:
        self._database = database
        self._roles = list(roles)
        self._max_emoji = max_emoji

    async def store(self, reactions: Sequence[Reaction]) -> list[ReactionVerdict]:
        batch = orjson.dumps([reaction._asdict() for reaction in reactions]).decode()
        rows = await self._database.rows(_SET, (batch, self._roles, self._max_emoji))
        return [ReactionVerdict(*row) for row in rows]

    async def page(
        self, message_id: str, caller: int, emoji: str | None, after: int, limit: int
    ) -> list[tuple[int, dict[str, Any]]]:
        parameters = {"message": message_id, "emoji": emoji, "after": after, "limit": limit}
        rows = await self._database.rows(_PAGE, parameters, user_id=caller)
        return [
            (id_, {"user_id": user_id, "emoji": emoji, "reacted_at": reacted_at})
            for id_, user_id, emoji, reacted_at in rows
        ]
