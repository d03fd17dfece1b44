"""Writes to PostgreSQL when each user was last seen, in batches. A stored time only moves forward."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from typing import Final

from messenger_shared.contract.errors import AppError
from messenger_shared.contract.presence_states import OFFLINE
from messenger_shared.postgres.database import Database
from presence.ports import Store, Transition

log = logging.getLogger(__name__)

WRITE_INTERVAL_S: Final = 0.25
STOP_TIMEOUT_S: Final = 5.0
MAX_BATCH: Final = 1_000
MAX_QUEUED: Final = 100_000
LEFTOVERS_EVERY: Final = 20

# ORDER BY, so that two workers never wait for each other's rows. LEAST, because the times come from Redis,
# whose clock may run ahead, and because PostgreSQL's clock may have been ahead before it was set back.
# GREATEST, because two workers may write in the wrong order.
# Asynchronous commit, so that messages don't wait for a flush of these rows. A crash of PostgreSQL costs the
# rows of less than a second.
_UPSERT: Final = """
SELECT set_config('synchronous_commit', 'off', true);
INSERT INTO presence.last_seen AS old (user_id, last_seen_at)
SELECT user_id, LEAST(to_timestamp(seen_ms / 1000.0), now())
FROM unnest(%s::bigint[], %s::bigint[]) AS seen (user_id, seen_ms)
ORDER BY user_id
ON CONFLICT (user_id) DO UPDATE
   SET last_seen_at = GREATEST(LEAST(old.last_seen_at, now()), excluded.last_seen_at)
"""
_READ: Final = """
SELECT user_id, floor(extract(epoch FROM LEAST(last_seen_at, now())) * 1000)::bigint FROM presence.last_seen
 WHERE user_id = ANY(%s)
"""


class LastSeen:
    """Writes last-seen times. Until PostgreSQL has one, both this worker and the store keep it.

    Either may fail at any time. If a worker ends early, another one writes what is left in the store.
    """

    def __init__(self, database: Database, store: Store, interval_s: float = WRITE_INTERVAL_S) -> None:
        self._database = database
        self._store = store
        self._interval_s = interval_s
        self._queued: dict[int, int] = {}
        self._writer: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Starts to write every `interval_s`."""
        self._writer = asyncio.create_task(self._write_for_ever(), name="last seen writer")

    async def stop(self) -> None:
        """Writes what is left. After STOP_TIMEOUT_S, leaves the rest to another worker."""
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        with contextlib.suppress(TimeoutError, AppError):
            async with asyncio.timeout(STOP_TIMEOUT_S):
                while self._queued:
                    await self._write_batch()

    def enqueue(self, transitions: Sequence[Transition]) -> None:
        """Queues the users who went offline. Above MAX_QUEUED, drops the oldest: the store still has them."""
        for transition in transitions:
            if transition.status == OFFLINE:
                user_id = transition.user_id
                self._queued[user_id] = max(transition.seen_ms, self._queued.pop(user_id, 0))
                if len(self._queued) > MAX_QUEUED:
                    del self._queued[next(iter(self._queued))]

    async def read(self, user_ids: Collection[int]) -> dict[int, int]:
        """{user id: when last seen, in ms since 1970}, without users who never were. Raises AppError."""
        # The store first: a time that moves to PostgreSQL between the two reads is then in both.
        unwritten = await self._store.get_unwritten(user_ids)
        queued = {user_id: self._queued.get(user_id, 0) for user_id in user_ids}
        stored: dict[int, int] = dict(await self._database.rows(_READ, (list(user_ids),)))
        latest = ((id_, max(stored.get(id_, 0), unwritten.get(id_, 0), queued[id_])) for id_ in user_ids)
        return {user_id: seen_ms for user_id, seen_ms in latest if seen_ms}

    async def write(self, user_ids: Collection[int], seen_ms: int) -> None:
        """Writes `seen_ms` for these users at once. Raises AppError."""
        await self._upsert(dict.fromkeys(user_ids, seen_ms))

    async def _write_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._interval_s)
            try:
                await self._write_batch()
                if await self._store.claim("leftovers", round(self._interval_s * LEFTOVERS_EVERY * 1000)):
                    await self._write_leftovers()
            except AppError:
                pass  # The database or the sweeper has logged the reason.
            except Exception:
                log.exception("writing last-seen times failed")

    async def _write_batch(self) -> None:
        """Writes one batch, the oldest first. Raises AppError."""
        batch = dict(islice(self._queued.items(), MAX_BATCH))
        if not batch:
            return
        await self._upsert(batch)
        for user_id, seen_ms in batch.items():
            # Keep a later time that came meanwhile.
            if self._queued.get(user_id) == seen_ms:
                del self._queued[user_id]
        await self._store.mark_written(batch)

    async def _write_leftovers(self) -> None:
        if batch := await self._store.list_unwritten():
            await self._upsert(batch)
            await self._store.mark_written(batch)

    async def _upsert(self, seen: Mapping[int, int]) -> None:
        await self._database.rows(_UPSERT, (list(seen), list(seen.values())))
