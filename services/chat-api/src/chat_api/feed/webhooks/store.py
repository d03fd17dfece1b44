"""Keeps the leases, the progress, the backlog and the attempts of webhooks in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from chat_api.feed.cursors import RELAXED
from chat_api.feed.webhooks.model import Attempt, Due, Figures, Leased
from chat_api.storage.webhooks import WEBHOOK_COLUMNS, to_webhook
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import SERVER, new_id
from messenger_shared.postgres.database import Database, Row

# Renewed every second or so, and taken over so soon after a crash.
LEASE_S: Final = 5.0
FAILURE_CHARS: Final = 200

# Those that are this process's already, and one that is nobody's, until it has its share.
_LEASE: Final = f"""{RELAXED}
WITH share AS (
     SELECT ceil(count(*)::float8 / %(processes)s)::int AS most,
            count(*) FILTER (WHERE lease = %(token)s) AS ours
       FROM messenger.webhooks WHERE disabled IS NULL)
UPDATE messenger.webhooks w
   SET lease = %(token)s, leased_until = clock_timestamp() + %(lease)s * interval '1 second'
  FROM share
 WHERE w.disabled IS NULL
   AND (w.lease = %(token)s OR share.ours < share.most AND w.name = (
        SELECT f.name FROM messenger.webhooks f
         WHERE f.disabled IS NULL AND f.lease IS DISTINCT FROM %(token)s
           AND (f.leased_until IS NULL OR f.leased_until < clock_timestamp())
         ORDER BY f.name LIMIT 1 FOR UPDATE SKIP LOCKED))
RETURNING {WEBHOOK_COLUMNS}, w.number, share.most
"""
_RELEASE: Final = f"""{RELAXED}
UPDATE messenger.webhooks SET number = greatest(number, %s), lease = NULL, leased_until = NULL
 WHERE id = %s AND lease = %s
"""
_PROGRESS: Final = f"""{RELAXED}
UPDATE messenger.webhooks SET number = greatest(number, %s) WHERE id = %s AND lease = %s
"""
_DISABLE: Final = """
UPDATE messenger.webhooks SET disabled = coalesce(disabled, 'gone') WHERE id = %s AND lease = %s
"""
_DUE: Final = """
SELECT conversation_id::text, pos, attempts FROM messenger.webhook_backlog
 WHERE webhook_id = %s AND parked_at IS NULL AND due_at <= now() AND conversation_id <> ALL (%s::uuid[])
 ORDER BY due_at LIMIT %s
"""
# If somebody asked for older changes meanwhile, these stay asked for. Nobody else leases meanwhile.
_HOLD: Final = f"""{RELAXED}
INSERT INTO messenger.webhook_backlog AS b
       (webhook_id, conversation_id, pos, attempts, due_at, parked_at, failure)
SELECT w.id, %(conversation)s, %(pos)s, %(attempts)s, now() + coalesce(%(delay)s, 0) * interval '1 second',
       CASE WHEN %(delay)s IS NULL THEN now() END, %(failure)s
  FROM messenger.webhooks w WHERE w.id = %(id)s AND w.lease = %(token)s FOR SHARE
ON CONFLICT (webhook_id, conversation_id) DO UPDATE
   SET pos = CASE WHEN b.pos = %(was)s THEN excluded.pos ELSE least(b.pos, excluded.pos) END,
       since = CASE WHEN b.pos = %(was)s AND b.pos < excluded.pos THEN now() ELSE b.since END,
       attempts = excluded.attempts, due_at = excluded.due_at, parked_at = excluded.parked_at,
       failure = excluded.failure
RETURNING 1
"""
# Whoever commits a change after this look has it in the log later. Without the lease, the rows are another's.
_OURS: Final = "EXISTS (SELECT FROM messenger.webhooks w WHERE w.id = %(id)s AND w.lease = %(token)s)"
_SETTLE: Final = f"""{RELAXED}
SELECT FROM messenger.webhooks WHERE id = %(id)s AND lease = %(token)s FOR SHARE;
UPDATE messenger.webhook_backlog SET pos = %(pos)s, attempts = 0, since = now()
 WHERE webhook_id = %(id)s AND conversation_id = %(conversation)s AND pos = %(was)s AND {_OURS};
DELETE FROM messenger.webhook_backlog b
 WHERE b.webhook_id = %(id)s AND b.conversation_id = %(conversation)s AND b.pos = %(pos)s AND {_OURS}
   AND NOT EXISTS (SELECT FROM messenger.conversations c
                    WHERE c.id = b.conversation_id AND c.last_pos > b.pos);
SELECT pos FROM messenger.webhook_backlog
 WHERE webhook_id = %(id)s AND conversation_id = %(conversation)s AND {_OURS}
"""
_RECORD: Final = f"""{RELAXED}
INSERT INTO messenger.webhook_attempts (webhook_id, at, event_id, type, attempt, status, failure, took_ms)
SELECT %s, to_timestamp(a.at), a.event_id, a.type, a.attempt, a.status, a.failure, a.took_ms
  FROM unnest(%s::float8[], %s::text[], %s::text[], %s::int[], %s::int[], %s::text[], %s::int[]) AS a
       (at, event_id, type, attempt, status, failure, took_ms)
"""
_FIGURES: Final = """
SELECT b.waiting, b.parked, extract(epoch FROM greatest(now() - b.since, now() - (
           SELECT e.at FROM messenger.event_log e WHERE e.number > w.number ORDER BY e.number LIMIT 1)))
  FROM messenger.webhooks w
 CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE parked_at IS NULL) AS waiting,
              count(*) FILTER (WHERE parked_at IS NOT NULL) AS parked,
              min(since) FILTER (WHERE parked_at IS NULL) AS since
         FROM messenger.webhook_backlog WHERE webhook_id = w.id) b
 WHERE w.id = %s
"""


class PgDeliveries:
    """What one process's deliveries leave behind, in PostgreSQL.

    All methods raise AppError(unavailable) if it is away. What the process did before it lost a lease is
    refused afterwards, or would undo what another one did.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._token = new_id()

    async def lease(self, seconds: float, processes: int) -> list[Leased]:
        """Renews this process's leases, takes one that is free if `processes` share, and returns all."""
        parameters = {"token": self._token, "lease": seconds, "processes": processes}
        rows = await self._rows(_LEASE, parameters)
        return [Leased(to_webhook(row[:5]), *row[5:]) for row in rows]

    async def release(self, webhook_id: str, number: int) -> None:
        """Gives a webhook back that is served up to this number of the log."""
        await self._rows(_RELEASE, (number, webhook_id, self._token))

    async def progress(self, webhook_id: str, number: int) -> None:
        """Notes that a webhook is served up to this number of the log."""
        await self._rows(_PROGRESS, (number, webhook_id, self._token))

    async def disable(self, webhook_id: str) -> None:
        """Ends deliveries, because the receiver wants no more."""
        await self._rows(_DISABLE, (webhook_id, self._token))

    async def due(self, webhook_id: str, others: Iterable[str], limit: int) -> list[Due]:
        """The conversations to try again now, except `others`."""
        return [Due(*row) for row in await self._rows(_DUE, (webhook_id, list(others), limit))]

    async def hold(
        self,
        webhook_id: str,
        conversation_id: str,
        pos: int,
        attempts: int,
        delay_s: float | None,
        failure: str,
        was: int | None,
    ) -> None:
        """Puts a conversation into the backlog, to be tried again after `delay_s`; parks it if that is None.

        `was` is the pos that it had there, if it came from there. Without the lease, raises
        AppError(unavailable).
        """
        parameters: dict[str, object] = {"id": webhook_id, "token": self._token}
        parameters |= {"conversation": conversation_id, "pos": pos, "attempts": attempts, "delay": delay_s}
        parameters |= {"failure": failure[:FAILURE_CHARS], "was": was}
        if not await self._rows(_HOLD, parameters):
            raise AppError(errors.UNAVAILABLE)

    async def settle(self, webhook_id: str, conversation_id: str, was: int, pos: int) -> int | None:
        """Notes that the changes of a conversation are delivered up to `pos`; before, it was `was`.

        Returns None if these were all, and it left the backlog; otherwise the pos to go on from. That is
        another one than `pos` if somebody asked for older changes meanwhile. Without the lease, None.
        """
        parameters: dict[str, object] = {"id": webhook_id, "token": self._token}
        parameters |= {"conversation": conversation_id, "was": was, "pos": pos}
        rows = await self._rows(_SETTLE, parameters)
        return rows[0][0] if rows else None

    async def record(self, webhook_id: str, attempts: Sequence[Attempt]) -> None:
        """Keeps what was tried."""
        columns = [list(column) for column in zip(*attempts, strict=True)]
        await self._rows(_RECORD, (webhook_id, *columns))

    async def figures(self, webhook_id: str) -> Figures:
        """How far the webhook is behind."""
        rows = await self._rows(_FIGURES, (webhook_id,))
        return Figures(rows[0][0], rows[0][1], float(rows[0][2] or 0.0)) if rows else Figures(0, 0, 0.0)

    async def _rows(self, sql: str, parameters: Sequence[object] | dict[str, object]) -> list[Row]:
        return await self._database.rows(sql, parameters, user_id=SERVER)
