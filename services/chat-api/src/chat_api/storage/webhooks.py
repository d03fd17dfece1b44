"""Reads and writes webhooks, for a host application and for tests of a webhook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from chat_api.webhooks.store import NewSecret, Webhook, WebhookRow
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import SERVER
from messenger_shared.postgres.database import Database, Row

# So that two that are made at once are counted one after the other.
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended('messenger.webhooks', 0))"
# One that is new begins with what happens from now on.
_PUT: Final = """
INSERT INTO messenger.webhooks AS w (name, id, secret_id, url, types, disabled, secret, number)
SELECT %(name)s, %(request)s::uuid, %(request)s::uuid, %(url)s, %(types)s::text[], %(disabled)s, %(secret)s,
       h.last
  FROM messenger.event_log_head h
 WHERE (SELECT count(*) FROM messenger.webhooks o WHERE o.name <> %(name)s) < %(at_most)s
ON CONFLICT (name) DO UPDATE SET url = excluded.url, types = excluded.types,
       disabled = CASE WHEN excluded.disabled IS NOT NULL THEN coalesce(w.disabled, excluded.disabled) END
RETURNING CASE WHEN w.secret_id = %(request)s::uuid THEN w.secret END
"""
_ALL: Final = """
SELECT w.name, w.url, w.types, w.disabled, messenger.to_wire(w.created_at),
       CASE WHEN w.old_secret_until > now() THEN messenger.to_wire(w.old_secret_until) END,
       b.waiting, b.parked
  FROM messenger.webhooks w
 CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE parked_at IS NULL) AS waiting,
              count(*) FILTER (WHERE parked_at IS NOT NULL) AS parked
         FROM messenger.webhook_backlog WHERE webhook_id = w.id) b
 WHERE w.name = coalesce(%s, w.name) ORDER BY w.name
"""
_DELETE: Final = "DELETE FROM messenger.webhooks WHERE name = %s RETURNING 1"
# A repeat of the request leaves all as it is.
_ROTATE: Final = """
UPDATE messenger.webhooks w
   SET old_secret = CASE WHEN w.secret_id = %(request)s::uuid THEN w.old_secret ELSE w.secret END,
       old_secret_until = CASE WHEN w.secret_id = %(request)s::uuid THEN w.old_secret_until
                               ELSE now() + %(keep)s * interval '1 second' END,
       secret = CASE WHEN w.secret_id = %(request)s::uuid THEN w.secret ELSE %(secret)s END,
       secret_id = %(request)s::uuid
 WHERE w.name = %(name)s RETURNING w.secret
"""
# What `to_webhook` takes.
WEBHOOK_COLUMNS: Final = """w.id::text, w.name, w.url, w.types,
       array_remove(ARRAY[w.secret, CASE WHEN w.old_secret_until > now() THEN w.old_secret END], NULL)"""
_FIND: Final = f"SELECT {WEBHOOK_COLUMNS} FROM messenger.webhooks w WHERE name = %s"
_ATTEMPTS: Final = """
SELECT jsonb_build_object('id', a.id, 'at', messenger.to_wire(a.at), 'event_id', a.event_id, 'type', a.type,
           'attempt', a.attempt, 'status', a.status, 'failure', a.failure, 'took_ms', a.took_ms)
  FROM messenger.webhook_attempts a
 WHERE a.webhook_id = %s AND a.id < %s ORDER BY a.id DESC LIMIT %s
"""
_TRY_AGAIN: Final = """
UPDATE messenger.webhook_backlog SET attempts = 0, due_at = now(), parked_at = NULL
 WHERE webhook_id = %s AND conversation_id = coalesce(%s::uuid, conversation_id) RETURNING 1
"""
# A change above the last one can't be asked for: it would be taken for delivered when it comes.
_GO_BACK: Final = """
INSERT INTO messenger.webhook_backlog AS b (webhook_id, conversation_id, pos, attempts, due_at)
SELECT %s, c.id, least(%s - 1, c.last_pos), 0, now() FROM messenger.conversations c WHERE c.id = %s
ON CONFLICT (webhook_id, conversation_id) DO UPDATE
   SET pos = least(b.pos, excluded.pos), attempts = 0, due_at = now(), parked_at = NULL
RETURNING 1
"""


def to_webhook(row: Row) -> Webhook:
    """The webhook of a row with WEBHOOK_COLUMNS."""
    id_, name, url, types, secrets = row
    return Webhook(id_, name, url, frozenset(types), tuple(secrets))


class PgWebhooks:
    """A WebhookStore in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(
        self, name: str, url: str, types: Sequence[str], *, disabled: bool, new: NewSecret, at_most: int
    ) -> str | None:
        parameters: dict[str, object] = {"name": name, "url": url, "types": list(types), "at_most": at_most}
        parameters |= {
            "disabled": "host" if disabled else None,
            "request": new.request_id,
            "secret": new.secret,
        }
        async with self._database.transaction(user_id=SERVER) as transaction:
            await transaction.rows(_LOCK)
            rows = await transaction.rows(_PUT, parameters)
            if not rows:
                raise AppError(errors.INVALID_FRAME, details={"name": [f"At most {at_most} webhooks."]})
        secret: str | None = rows[0][0]
        return secret

    async def all(self, name: str | None = None) -> list[WebhookRow]:
        rows = [WebhookRow(*row) for row in await self._rows(_ALL, (name,))]
        if name is not None and not rows:
            raise AppError(errors.NOT_FOUND)
        return rows

    async def delete(self, name: str) -> None:
        await self._one(_DELETE, (name,))

    async def rotate(self, name: str, new: NewSecret, keep_s: float) -> str:
        parameters = {"name": name, "request": new.request_id, "secret": new.secret, "keep": keep_s}
        return str((await self._one(_ROTATE, parameters))[0])

    async def find(self, name: str) -> Webhook:
        return to_webhook(await self._one(_FIND, (name,)))

    async def attempts(self, name: str, before: int, limit: int) -> list[Mapping[str, Any]]:
        parameters = ((await self.find(name)).id, before, limit)
        return [row[0] for row in await self._rows(_ATTEMPTS, parameters)]

    async def redeliver(self, name: str, conversation_id: str | None, from_pos: int | None) -> int:
        id_ = (await self.find(name)).id
        if from_pos is None:
            return len(await self._rows(_TRY_AGAIN, (id_, conversation_id)))
        await self._one(_GO_BACK, (id_, from_pos, conversation_id))
        return 1

    async def _rows(self, sql: str, parameters: Sequence[object] | dict[str, object]) -> list[Row]:
        return await self._database.rows(sql, parameters, user_id=SERVER)

    async def _one(self, sql: str, parameters: Sequence[object] | dict[str, object]) -> Row:
        rows = await self._rows(sql, parameters)
        if not rows:
            raise AppError(errors.NOT_FOUND)
        return rows[0]
