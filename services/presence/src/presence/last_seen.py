"""Owns when each user was last seen, in PostgreSQL: gathered, one batch a second, only ever later."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Collection, Sequence
from typing import Final

from messenger_shared.errors import AppError
from messenger_shared.postgres import Database
from messenger_shared.presences import OFFLINE
from presence.ports import Transition

log = logging.getLogger(__name__)

INTERVAL_S: Final = 1.0
MAX_BATCH: Final = 2_000
MAX_WAITING: Final = 100_000
STOP_TIMEOUT_S: Final = 5.0

# In the order of the ids, so that two workers never wait for each other's rows. LEAST, because the times
# are Redis's, whose clock may run ahead. GREATEST, because two workers may write in the other order.
_UPSERT: Final = """
INSERT INTO presence.last_seen AS old (user_id, last_seen_at)
SELECT user_id, LEAST(to_timestamp(seen_ms / 1000.0), now())
FROM unnest(%s::bigint[], %s::bigint[]) AS seen (user_id, seen_ms)
ORDER BY user_id
ON CONFLICT (user_id) DO UPDATE SET last_seen_at = GREATEST(old.last_seen_at, excluded.last_seen_at)
"""
_READ: Final = """
SELECT user_id, floor(extract(epoch FROM last_seen_at) * 1000)::bigint FROM presence.last_seen
 WHERE user_id = ANY(%s)
"""


class LastSeen:
    """Keeps the newest time per user until PostgreSQL has it; the oldest entries give way when it is full."""

    def __init__(
        self,
        database: Database,
        interval_s: float = INTERVAL_S,
        max_batch: int = MAX_BATCH,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._database = database
        self._interval_s = interval_s
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._waiting: dict[int, int] = {}
        self._dropped = 0
        self._writer: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Writes from now on."""
        self._writer = asyncio.create_task(self._write_for_ever(), name="last seen writer")

    async def stop(self) -> None:
        """Writes what is left, if PostgreSQL takes it in time."""
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_TIMEOUT_S):
                while self._waiting and await self._write():
                    pass
        if self._waiting:
            log.warning("last seen of %d users is lost", len(self._waiting))

    def tell(self, transitions: Sequence[Transition]) -> None:
        """Notes those who went offline."""
        for transition in transitions:
            if transition.status == OFFLINE:
                self._keep(transition.user_id, transition.seen_ms)

    async def read(self, user_ids: Collection[int]) -> dict[int, int]:
        """When they were last seen (ms since 1970), of those who ever were. Raises AppError."""
        found: dict[int, int] = dict(await self._database.rows(_READ, (list(user_ids),)))
        for user_id in user_ids:
            if (seen_ms := self._waiting.get(user_id, 0)) > found.get(user_id, 0):
                found[user_id] = seen_ms
        return found

    async def note(self, user_ids: Collection[int], seen_ms: int) -> None:
        """Writes at once that they were there. Raises AppError."""
        await self._database.rows(_UPSERT, (list(user_ids), [seen_ms] * len(user_ids)))

    def _keep(self, user_id: int, seen_ms: int) -> None:
        newest = max(seen_ms, self._waiting.get(user_id, seen_ms))
        if user_id not in self._waiting and len(self._waiting) >= self._max_waiting:
            self._dropped += 1
            del self._waiting[next(iter(self._waiting))]
        self._waiting[user_id] = newest

    async def _write_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._interval_s)
            await self._write()

    async def _write(self) -> bool:
        """Writes one batch, those who wait longest; they wait on if it fails."""
        if self._dropped:
            log.warning("last seen of %d users was dropped", self._dropped)
            self._dropped = 0
        batch = dict(itertools.islice(self._waiting.items(), self._max_batch))
        if not batch:
            return True
        try:
            await self._database.rows(_UPSERT, (list(batch), list(batch.values())))
        except AppError:
            return False  # The database has said why.
        except Exception:
            log.exception("last seen can't be written")
            return False
        for user_id, seen_ms in batch.items():
            # A later time may have come meanwhile.
            if self._waiting.get(user_id) == seen_ms:
                del self._waiting[user_id]
        return True
