"""Writes the last-seen times of all online users every few minutes.

If everything fails at once, last-seen times are wrong by no more than that.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from messenger_shared.contract.errors import AppError
from presence.last_seen import LastSeen
from presence.ports import Store

log = logging.getLogger(__name__)

PERIOD_MS: Final = 120_000
CHECK_INTERVAL_S: Final = 10.0


class OnlineCheckpoint:
    """Writes a checkpoint every `period_ms`. Of all workers, one does it."""

    def __init__(self, store: Store, last_seen: LastSeen, period_ms: int = PERIOD_MS) -> None:
        self._store = store
        self._last_seen = last_seen
        self._period_ms = period_ms
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Starts the checkpoints."""
        self._task = asyncio.create_task(self._write_for_ever(), name="online checkpoint")

    async def stop(self) -> None:
        """Stops the checkpoints."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _write_for_ever(self) -> None:
        while True:
            try:
                # The name is stored in Redis, so it stays as it is.
                if await self._store.claim("noting", self._period_ms):
                    await self.write_all()
            except AppError as error:
                log.warning("writing the online checkpoint failed: %s", error)
            except Exception:
                log.exception("writing the online checkpoint failed")
            await asyncio.sleep(min(CHECK_INTERVAL_S, self._period_ms / 1000))

    async def write_all(self) -> None:
        """Writes the last-seen time of all users with sockets who are not invisible. Raises AppError."""
        cursor = ""
        while cursor != "0":
            cursor, at_ms, user_ids = await self._store.scan_present(cursor or "0")
            if user_ids:
                # A set, since a user may come twice, and one statement may touch a row only once.
                await self._last_seen.write(set(user_ids), at_ms)
