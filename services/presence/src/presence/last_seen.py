"""Owns when each user was last seen, in PostgreSQL: gathered, a few batches a second, only ever later."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from typing import Final

from messenger_shared.errors import AppError
from messenger_shared.postgres import Database
from messenger_shared.presences import OFFLINE
from presence.ports import Store, Transition

log = logging.getLogger(__name__)

INTERVAL_S: Final = 0.25
STOP_TIMEOUT_S: Final = 5.0
MAX_BATCH: Final = 1_000
MAX_TOLD: Final = 100_000
LEFTOVERS_EVERY: Final = 20

# In the order of the ids, so that two workers never wait for each other's rows. LEAST, because the times
# are Redis's, whose clock may run ahead. GREATEST, because two workers may write in the other order.
# Messages shall not wait for a flush of this: what a crash of PostgreSQL could cost is less than a second's.
_UPSERT: Final = """
SELECT set_config('synchronous_commit', 'off', true);
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
    """Until PostgreSQL has it, the worker that told it keeps it, and so does the store.

    Either may end at any time. What a worker leaves behind in the store, another one writes.
    """

    def __init__(self, database: Database, store: Store, interval_s: float = INTERVAL_S) -> None:
        self._database = database
        self._store = store
        self._interval_s = interval_s
        self._told: dict[int, int] = {}
        self._writer: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Writes from now on."""
        self._writer = asyncio.create_task(self._write_for_ever(), name="last seen writer")

    async def stop(self) -> None:
        """Writes what is left, if PostgreSQL takes it in time; else another worker does."""
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        with contextlib.suppress(TimeoutError, AppError):
            async with asyncio.timeout(STOP_TIMEOUT_S):
                while self._told:
                    await self._write_told()

    def tell(self, transitions: Sequence[Transition]) -> None:
        """Takes note of those who went; when there are too many, the oldest are left to the store."""
        for transition in transitions:
            if transition.status == OFFLINE:
                user_id = transition.user_id
                self._told[user_id] = max(transition.seen_ms, self._told.pop(user_id, 0))
                if len(self._told) > MAX_TOLD:
                    del self._told[next(iter(self._told))]

    async def read(self, user_ids: Collection[int]) -> dict[int, int]:
        """When they were last seen (ms since 1970), of those who ever were. Raises AppError."""
        # In this order: what is written between the two is in both.
        waiting = await self._store.seen(user_ids)
        told = {user_id: self._told.get(user_id, 0) for user_id in user_ids}
        kept: dict[int, int] = dict(await self._database.rows(_READ, (list(user_ids),)))
        latest = ((id_, max(kept.get(id_, 0), waiting.get(id_, 0), told[id_])) for id_ in user_ids)
        return {user_id: seen_ms for user_id, seen_ms in latest if seen_ms}

    async def note(self, user_ids: Collection[int], seen_ms: int) -> None:
        """Writes at once that they were there. Raises AppError."""
        await self._upsert(dict.fromkeys(user_ids, seen_ms))

    async def _write_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._interval_s)
            try:
                await self._write_told()
                if await self._store.claim("leftovers", round(self._interval_s * LEFTOVERS_EVERY * 1000)):
                    await self._write_leftovers()
            except AppError:
                pass  # The database or the sweeper has said why.
            except Exception:
                log.exception("last seen can't be written")

    async def _write_told(self) -> None:
        """Writes one batch, those who wait longest. Raises AppError."""
        batch = dict(islice(self._told.items(), MAX_BATCH))
        if not batch:
            return
        await self._upsert(batch)
        for user_id, seen_ms in batch.items():
            # A later time may have come meanwhile.
            if self._told.get(user_id) == seen_ms:
                del self._told[user_id]
        await self._store.written(batch)

    async def _write_leftovers(self) -> None:
        if batch := await self._store.unwritten():
            await self._upsert(batch)
            await self._store.written(batch)

    async def _upsert(self, seen: Mapping[int, int]) -> None:
        await self._database.rows(_UPSERT, (list(seen), list(seen.values())))
