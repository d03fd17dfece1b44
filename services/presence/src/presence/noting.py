"""Owns noting who is there, every few minutes: if everything ends at once, no more of last seen is lost."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from messenger_shared.errors import AppError
from presence.last_seen import LastSeen
from presence.ports import Store

log = logging.getLogger(__name__)

PERIOD_MS: Final = 120_000
LOOK_S: Final = 10.0


class Noting:
    """Notes those who are there, every `period_ms`; of all workers, one does it."""

    def __init__(self, store: Store, last_seen: LastSeen, period_ms: int = PERIOD_MS) -> None:
        self._store = store
        self._last_seen = last_seen
        self._period_ms = period_ms
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Notes from now on."""
        self._task = asyncio.create_task(self._note_for_ever(), name="noting")

    async def stop(self) -> None:
        """Notes no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _note_for_ever(self) -> None:
        while True:
            try:
                if await self._store.claim("noting", self._period_ms):
                    await self.note_all()
            except AppError as error:
                log.warning("who is there can't be noted: %s", error)
            except Exception:
                log.exception("who is there can't be noted")
            await asyncio.sleep(min(LOOK_S, self._period_ms / 1000))

    async def note_all(self) -> None:
        """Notes everybody who is there and not invisible. Raises AppError."""
        cursor = ""
        while cursor != "0":
            cursor, at_ms, user_ids = await self._store.present(cursor or "0")
            if user_ids:
                # A user may come twice, and one statement may touch a row only once.
                await self._last_seen.note(set(user_ids), at_ms)
