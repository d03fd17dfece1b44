"""Owns what users chose to show of themselves, in PostgreSQL, and bringing it into the store."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from messenger_shared import errors
from messenger_shared.errors import AppError
from messenger_shared.postgres import Database, Row
from messenger_shared.presences import NOBODY
from presence.ports import Choice, Store

log = logging.getLogger(__name__)

LOADED_AT_ONCE: Final = 2_000
ATTEMPTS: Final = 5

# What isn't said stays. The version grows with each change, so that the store can tell the newer of two.
_CHOOSE: Final = """
INSERT INTO presence.choices AS old (user_id, invisible, last_seen_visibility)
VALUES (%(user)s, coalesce(%(invisible)s, false), coalesce(%(visibility)s, 'everyone'))
ON CONFLICT (user_id) DO UPDATE
   SET invisible = coalesce(%(invisible)s, old.invisible),
       last_seen_visibility = coalesce(%(visibility)s, old.last_seen_visibility),
       version = old.version + 1
RETURNING user_id, version, invisible, last_seen_visibility
"""
_EXCEPTIONS: Final = """
SELECT user_id, version, invisible, last_seen_visibility FROM presence.choices
 WHERE (invisible OR last_seen_visibility = 'nobody') AND user_id > %s
 ORDER BY user_id LIMIT %s
"""


class Choices:
    """PostgreSQL has them all; the store those that matter to a step, so that none waits for PostgreSQL."""

    def __init__(self, database: Database, store: Store, worker: str) -> None:
        self._database = database
        self._store = store
        self._worker = worker
        self._loading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """The sweeper finds out whether there is something to load."""

    async def keep(self, user_id: int, invisible: bool | None, visibility: str | None) -> Choice:
        """The user's choice with what he said now, durable. Raises AppError."""
        parameters = {"user": user_id, "invisible": invisible, "visibility": visibility}
        [row] = await self._database.rows(_CHOOSE, parameters)
        return _choice(row)

    async def load(self) -> None:
        """Brings all into the store that are not as everybody's; who asks meanwhile waits for the same.

        Raises AppError.
        """
        if self._loading is None or self._loading.done():
            self._loading = asyncio.create_task(self._load(), name="loading choices")
            # Everybody who waited may have given up.
            self._loading.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.shield(self._loading)

    async def stop(self) -> None:
        """Gives up loading."""
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.gather(self._loading, return_exceptions=True)

    async def _load(self) -> None:
        for _ in range(ATTEMPTS):
            if await self._load_once():
                return
        raise AppError(errors.UNAVAILABLE)

    async def _load_once(self) -> bool:
        """False if the store lost everything meanwhile."""
        after, number, last = 0, 0, False
        while not last:
            rows = await self._database.rows(_EXCEPTIONS, (after, LOADED_AT_ONCE))
            first, last = not after, len(rows) < LOADED_AT_ONCE
            choices = [_choice(row) for row in rows]
            if not await self._store.load(self._worker, choices, first=first, last=last):
                return False
            number += len(choices)
            after = choices[-1].user_id if choices else after
        log.info("the choices of %d users are loaded", number)
        return True


def _choice(row: Row) -> Choice:
    user_id, version, invisible, visibility = row
    return Choice(user_id, version, invisible, visibility == NOBODY)
