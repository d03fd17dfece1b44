"""Keeps the leases, the progress, the backlog and the attempts of webhooks in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from chat_api.feed.cursors import RELAXED
from chat_api.feed.webhooks.model import Attempt, Due, Figures, Leased, Webhook
from messenger_shared.contract.identifiers import SERVER
from messenger_shared.postgres.database import Database, Row

# Renewed every second or so, and taken over so soon after a crash.
LEASE_S: Final = 5.0
FAILURE_CHARS: Final = 200

# Those that are this process's already, and one that is nobody's, so that several processes share them.
_LEASE: Final = f"""{RELAXED}
UPDATE messenger.webhooks w
   SET lease = %(token)s, leased_until = clock_timestamp() + %(lease)s * interval '1 second'
 WHERE w.disabled IS NULL
   AND (w.lease = %(token)s OR w.name = (
        SELECT f.name FROM messenger.webhooks f
         WHERE f.disabled IS NULL AND f.lease IS DISTINCT FROM %(token)s
           AND (f.leased_until IS NULL OR f.leased_until < clock_timestamp())
         ORDER BY f.name LIMIT 1 FOR UPDATE SKIP LOCKED))
RETURNING w.id::text, w.name, w.url, w.types, w.secret,
          CASE WHEN w.old_secret_until > now() THEN w.old_secret END, w.number
"""
_RELEASE: Final = f"""{RELAXED}
UPDATE messenger.webhooks SET number = greatest(number, %s), lease = NULL, leased_until = NULL
 WHERE id = %s AND lease = %s
"""
_PROGRESS: Final = f"""{RELAXED}
UPDATE messenger.webhooks SET number = greatest(number, %s) WHERE id = %s AND lease = %s
"""
_DISABLE: Final = """
UPDATE messenger.webhooks SET disabled = coalesce(disabled, 'gone') WHERE id = %s
"""
_DUE: Final = """
SELECT conversation_id::text, pos, attempts FROM messenger.webhook_backlog
 WHERE webhook_id = %s AND parked_at IS NULL AND due_at <= now() AND conversation_id <> ALL (%s::uuid[])
 ORDER BY due_at LIMIT %s
"""
# If somebody asked for older changes meanwhile, these stay asked for.
_HOLD: Final = f"""{RELAXED}
INSERT INTO messenger.webhook_backlog AS b
       (webhook_id, conversation_id, pos, attempts, due_at, parked_at, failure)
VALUES (%(id)s, %(conversation)s, %(pos)s, %(attempts)s, now() + coalesce(%(delay)s, 0) * interval '1 second',
        CASE WHEN %(delay)s IS NULL THEN now() END, %(failure)s)
ON CONFLICT (webhook_id, conversation_id) DO UPDATE
   SET pos = CASE WHEN b.pos = %(was)s THEN excluded.pos ELSE least(b.pos, excluded.pos) END,
       since = CASE WHEN b.pos = %(was)s AND b.pos < excluded.pos THEN now() ELSE b.since END,
       attempts = excluded.attempts, due_at = excluded.due_at, parked_at = excluded.parked_at,
       failure = excluded.failure
"""
# Whoever commits a change after this look has it in the log later.
_SETTLE: Final = f"""{RELAXED}
UPDATE messenger.webhook_backlog SET pos = %(pos)s, attempts = 0, since = now()
 WHERE webhook_id = %(id)s AND conversation_id = %(conversation)s AND pos = %(was)s;
DELETE FROM messenger.webhook_backlog b
 WHERE b.webhook_id = %(id)s AND b.conversation_id = %(conversation)s AND b.pos = %(pos)s
   AND NOT EXISTS (SELECT FROM messenger.conversations c
                    WHERE c.id = b.conversation_id AND c.last_pos > b.pos);
SELECT pos FROM messenger.webhook_backlog WHERE webhook_id = %(id)s AND conversation_id = %(conversation)s
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
    """What deliveries leave behind, in PostgreSQL. All methods raise AppError(unavailable) if it is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def lease(self, token: str, seconds: float) -> list[Leased]:
        """Renews the leases with this token, takes one that is free, and returns all of them."""
        rows = await self._rows(_LEASE, {"token": token, "lease": seconds})
        return [_leased(row) for row in rows]

    async def release(self, token: str, webhook_id: str, number: int) -> None:
        """Gives a webhook back that is served up to this number of the log."""
        await self._rows(_RELEASE, (number, webhook_id, token))

    async def progress(self, token: str, webhook_id: str, number: int) -> None:
        """Notes that a webhook is served up to this number of the log."""
        await self._rows(_PROGRESS, (number, webhook_id, token))

    async def disable(self, webhook_id: str) -> None:
        """Ends deliveries, because the receiver wants no more."""
        await self._rows(_DISABLE, (webhook_id,))

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

        `was` is the pos that it had there, if it came from there.
        """
        parameters = {"id": webhook_id, "conversation": conversation_id, "pos": pos, "attempts": attempts}
        await self._rows(
            _HOLD, {**parameters, "delay": delay_s, "failure": failure[:FAILURE_CHARS], "was": was}
        )

    async def settle(self, webhook_id: str, conversation_id: str, was: int, pos: int) -> int | None:
        """Notes that the changes of a conversation are delivered up to `pos`; before, it was `was`.

        Returns None if these were all, and it left the backlog; otherwise the pos to go on from. That is
        another one than `pos` if somebody asked for older changes meanwhile.
        """
        parameters = {"id": webhook_id, "conversation": conversation_id, "was": was, "pos": pos}
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


def _leased(row: Row) -> Leased:
    id_, name, url, types, secret, old_secret, number = row
    secrets = (secret,) if old_secret is None else (secret, old_secret)
    return Leased(Webhook(id_, name, url, frozenset(types), secrets), number)
