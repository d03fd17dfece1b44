"""Reads which users share a conversation with a user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from messenger_shared.postgres.database import Database

# A look-up for each user asked about: strangers and users who don't exist cost the same.
_AMONG: Final = """
SELECT wanted.user_id FROM unnest(%(users)s::bigint[]) AS wanted (user_id)
 WHERE EXISTS (SELECT FROM messenger.conversation_participants p
                WHERE p.user_id = wanted.user_id AND p.left_at IS NULL
                  AND p.conversation_id IN (SELECT own.conversation_id
                                              FROM messenger.conversation_participants own
                                             WHERE own.user_id = %(caller)s AND own.left_at IS NULL))
"""
# Takes only the first members of each conversation, so a large one costs no more than a page.
_PAGE: Final = """
SELECT DISTINCT member.user_id
  FROM messenger.conversation_participants own
 CROSS JOIN LATERAL (SELECT p.user_id FROM messenger.conversation_participants p
                      WHERE p.conversation_id = own.conversation_id AND p.user_id > %(after)s
                        AND p.left_at IS NULL
                      ORDER BY p.user_id LIMIT %(limit)s) member
 WHERE own.user_id = %(caller)s AND own.left_at IS NULL
 ORDER BY member.user_id LIMIT %(limit)s
"""


class PgContacts:
    """A ContactStore in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def among(self, user_id: int, user_ids: Sequence[int]) -> list[int]:
        parameters = {"caller": user_id, "users": list(user_ids)}
        return [row[0] for row in await self._database.rows(_AMONG, parameters, user_id=user_id)]

    async def page(self, user_id: int, after: int, limit: int) -> list[int]:
        parameters = {"caller": user_id, "after": after, "limit": limit}
        return [row[0] for row in await self._database.rows(_PAGE, parameters, user_id=user_id)]
