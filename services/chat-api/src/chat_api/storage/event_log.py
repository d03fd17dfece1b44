"""Reads and writes the log of what changed where, from which hosts are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chat_api.event_ports import LogHead, LogRow
from messenger_shared.contract.identifiers import SERVER
from messenger_shared.postgres.database import Database

# The name of the cursors of the consumer that writes the log; the migration has it too.
CONSUMER: Final = "events"
_APPEND: Final = """
SELECT conversation_id FROM messenger.append_events(%s, %s::uuid[], %s::bigint[], %s::bigint[])
"""
# With the id of a webhook, whether the conversation waits for it already.
_PAGE: Final = """
SELECT e.number, e.conversation_id::text, e.after_pos, e.upto_pos, e.at, b.pos IS NOT NULL
  FROM messenger.event_log e
  LEFT JOIN messenger.webhook_backlog b
    ON b.webhook_id = %s::uuid AND b.conversation_id = e.conversation_id
 WHERE e.number >= %s ORDER BY e.number LIMIT %s
"""
_HEAD: Final = "SELECT last, forgotten FROM messenger.event_log_head"
_FORGET: Final = "SELECT messenger.forget_events(%s * interval '1 day', %s)"


class PgEventLog:
    """An EventLog in PostgreSQL, with what writes it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(
        self, token: str, ids: Sequence[str], after: Sequence[int], upto: Sequence[int]
    ) -> set[str]:
        """Moves the cursors of the consumer and appends, in one transaction.

        Returns the conversations that were still held with this token.
        """
        # Readers see it before it is on disk, and remember its number: it must not be lost afterwards.
        parameters = (token, list(ids), list(after), list(upto))
        rows = await self._database.rows(_APPEND, parameters)
        return {row[0] for row in rows}

    async def page(self, first: int, limit: int, webhook_id: str | None = None) -> list[LogRow]:
        parameters = (webhook_id, first, limit)
        return [LogRow(*row) for row in await self._database.rows(_PAGE, parameters, user_id=SERVER)]

    async def head(self) -> LogHead:
        return LogHead(*(await self._database.rows(_HEAD, user_id=SERVER))[0])

    async def forget(self, days: float, limit: int) -> int:
        """Deletes at most so many of the oldest rows that are older than this; returns how many."""
        return int((await self._database.rows(_FORGET, (days, limit)))[0][0])
