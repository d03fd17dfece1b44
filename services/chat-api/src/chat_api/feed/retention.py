"""Deletes what is too old: rows of the log of events, attempts of webhooks, and decisions about pushes."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final

from chat_api.feed.push.queue import PgPushQueue
from chat_api.storage.event_log import PgEventLog
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import SERVER
from messenger_shared.postgres.database import Database

log = logging.getLogger(__name__)

INTERVAL_S: Final = 600.0
# Deleted at once, so that no statement takes long.
PORTION: Final = 10_000
PAUSE_S: Final = 0.05
# Of one webhook, however young they are.
ATTEMPTS_MAX: Final = 1_000_000
# Decisions about pushes, for traces.
DECISIONS_S: Final = 86_400.0

_FORGET_ATTEMPTS: Final = """
DELETE FROM messenger.webhook_attempts WHERE id IN (
    SELECT id FROM (SELECT id, at FROM messenger.webhook_attempts ORDER BY id LIMIT %s) oldest
     WHERE oldest.at < now() - %s * interval '1 day')
"""
_FORGET_MANY: Final = """
DELETE FROM messenger.webhook_attempts WHERE id IN (
    SELECT a.id FROM messenger.webhooks w
     CROSS JOIN LATERAL (SELECT id FROM messenger.webhook_attempts WHERE webhook_id = w.id
                          ORDER BY id DESC OFFSET %s LIMIT 1) newest
     CROSS JOIN LATERAL (SELECT id FROM messenger.webhook_attempts
                          WHERE webhook_id = w.id AND id <= newest.id ORDER BY id LIMIT %s) a)
"""
# Of webhooks that are gone. Their attempts become too old.
_FORGET_GONE: Final = """
DELETE FROM messenger.webhook_backlog WHERE ctid IN (
    SELECT b.ctid FROM messenger.webhook_backlog b
     WHERE b.webhook_id <> ALL (ARRAY(SELECT id FROM messenger.webhooks)) LIMIT %s)
"""


class Retention:
    """Sweeps every ten minutes. Several processes may do so at once."""

    def __init__(
        self, database: Database, event_log: PgEventLog, days: int, attempts_max: int = ATTEMPTS_MAX
    ) -> None:
        self._database = database
        self._log = event_log
        self._pushes = PgPushQueue(database)
        self._days = days
        self._attempts_max = attempts_max
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Starts to sweep."""
        self._task = asyncio.create_task(self._run(), name="retention")

    async def stop(self) -> None:
        """Stops."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def sweep(self) -> None:
        """Deletes all that is too old. Raises AppError."""
        await self._repeat(lambda: self._log.forget(self._days, PORTION))
        await self._repeat(lambda: self._pushes.forget(DECISIONS_S, PORTION))
        await self._delete(_FORGET_ATTEMPTS, PORTION, self._days)
        await self._delete(_FORGET_MANY, self._attempts_max, PORTION)
        await self._delete(_FORGET_GONE, PORTION)

    async def _delete(self, sql: str, *parameters: int) -> None:
        counting = f"WITH gone AS ({sql} RETURNING 1) SELECT count(*) FROM gone"

        async def delete() -> int:
            [(count,)] = await self._database.rows(counting, parameters, user_id=SERVER)
            return int(count)

        await self._repeat(delete)

    @staticmethod
    async def _repeat(delete: Callable[[], Awaitable[int]]) -> None:
        """Calls it until it deletes less than a portion."""
        while await delete() >= PORTION:  # noqa: ASYNC110  (it goes on)
            await asyncio.sleep(PAUSE_S)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL_S * random.uniform(0.75, 1.25))
            try:
                await self.sweep()
            except AppError as error:
                log.warning("deleting what is too old waits: %s", error)
            except Exception:
                log.exception("deleting what is too old failed")
