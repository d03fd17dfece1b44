"""Keeps what users chose to show of themselves in PostgreSQL, and loads it into the store."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.presence_states import NOBODY
from messenger_shared.postgres.database import Database, Row
from presence.ports import Choice, Store

log = logging.getLogger(__name__)

USERS_PER_PAGE: Final = 2_000
ATTEMPTS: Final = 5

# A NULL leaves a column as it is. The version grows with each change: the store keeps the newest.
_UPSERT: Final = """
INSERT INTO presence.choices AS old (user_id, invisible, last_seen_visibility)
VALUES (%(user)s, coalesce(%(invisible)s, false), coalesce(%(visibility)s, 'everyone'))
ON CONFLICT (user_id) DO UPDATE
   SET invisible = coalesce(%(invisible)s, old.invisible),
       last_seen_visibility = coalesce(%(visibility)s, old.last_seen_visibility),
       version = old.version + 1
RETURNING user_id, version, invisible, last_seen_visibility
"""
_NOT_DEFAULT: Final = """
SELECT user_id, version, invisible, last_seen_visibility FROM presence.choices
 WHERE (invisible OR last_seen_visibility = 'nobody') AND user_id > %s
 ORDER BY user_id LIMIT %s
"""


class Choices:
    """PostgreSQL has all choices. The store has those that its steps need: no step waits for SQL."""

    def __init__(self, database: Database, store: Store, worker: str) -> None:
        self._database = database
        self._store = store
        self._worker = worker
        self._loading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Does nothing: the sweeper loads the choices when they are missing."""

    async def save(self, user_id: int, invisible: bool | None, visibility: str | None) -> Choice:
        """Stores the user's choice and returns all of it. None leaves a part as it is. Raises AppError."""
        parameters = {"user": user_id, "invisible": invisible, "visibility": visibility}
        [row] = await self._database.rows(_UPSERT, parameters)
        return _choice(row)

    async def load(self) -> None:
        """Loads the choices to be invisible or to hide last seen into the store. Raises AppError.

        Concurrent callers wait for the same load.
        """
        if self._loading is None or self._loading.done():
            self._loading = asyncio.create_task(self._load(), name="loading choices")
            # Retrieves the exception: all waiting callers may have been cancelled.
            self._loading.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.shield(self._loading)

    async def stop(self) -> None:
        """Cancels loading."""
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.gather(self._loading, return_exceptions=True)

    async def _load(self) -> None:
        for _ in range(ATTEMPTS):
            if await self._load_once():
                return
        raise AppError(errors.UNAVAILABLE)

    async def _load_once(self) -> bool:
        """Loads the choices page by page. Returns False if the store lost its data meanwhile."""
        after, number, last = 0, 0, False
        while not last:
            rows = await self._database.rows(_NOT_DEFAULT, (after, USERS_PER_PAGE))
            first, last = not after, len(rows) < USERS_PER_PAGE
            choices = [_choice(row) for row in rows]
            if not await self._store.load(self._worker, choices, first=first, last=last):
                return False
            number += len(choices)
            after = choices[-1].user_id if choices else after
        log.info("loaded the presence choices of %d users", number)
        return True


def _choice(row: Row) -> Choice:
    user_id, version, invisible, visibility = row
    return Choice(user_id, version, invisible, visibility == NOBODY)
