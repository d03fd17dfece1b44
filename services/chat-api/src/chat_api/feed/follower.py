"""Follows the changes of all conversations for one consumer, beside other processes that do the same.

A high-water mark says that a conversation has moved; a sweep over all conversations finds what no mark has
told. Either way the conversation is claimed with a lease, handed to the consumer, and given back. What is
committed in PostgreSQL is therefore handled, whatever is lost elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Mapping, Sequence
from typing import Final

from chat_api.feed import metrics
from chat_api.feed.agenda import Agenda
from chat_api.feed.consumer import Claim, Consumer
from chat_api.feed.cursors import FIRST_ID, PgCursors
from chat_api.feed.held_lease import HeldLease
from chat_api.feed.reached import REMEMBERED, Reached
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import new_id

log = logging.getLogger(__name__)

BATCH: Final = 50
SWEEP_INTERVAL_S: Final = 30.0
MEASURE_INTERVAL_S: Final = 1.0
# When PostgreSQL is away, or a sweep finds the agenda full.
PAUSE_S: Final = 1.0
# A conversation that somebody else works on is asked for again after so long at most.
BUSY_S: Final = 1.0
BACK_OFF_S: Final = 1.0
BACK_OFF_MAX_S: Final = 300.0
STOP_S: Final = 5.0
_DOUBLINGS_MAX: Final = 20


class Follower:
    """Hands conversations with changes to one consumer, in batches."""

    def __init__(self, consumer: Consumer, cursors: PgCursors, agenda: Agenda) -> None:
        self._consumer = consumer
        self._cursors = cursors
        self._agenda = agenda
        # The pos up to which conversations are handled, as far as known: a mark is repeated for seconds.
        self._handled = Reached()
        self._attempts: dict[str, int] = {}
        # Smaller while PostgreSQL can't do a whole batch in time.
        self._batch = BATCH
        self._is_stopping = False
        self._sweep_now = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        # So that they are shown before anything is counted.
        for metric in (metrics.POSITIONS, metrics.FAILURES, metrics.LOST_LEASES, metrics.BATCH_TIME):
            metric.labels(consumer.name)

    async def start(self) -> None:
        """Starts to work, to sweep and to measure."""
        name = f"feed {self._consumer.name}"
        self._tasks = [
            asyncio.create_task(work, name=name) for work in (self._work(), self._sweep(), self._measure())
        ]

    async def stop(self) -> None:
        """Ends after the batch under way, or after STOP_S."""
        self._is_stopping = True
        work, *others = self._tasks
        for task in others:
            task.cancel()
        # It may wait for something to do.
        self._agenda.wake()
        await asyncio.wait([work], timeout=STOP_S)
        work.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def on_marks(self, positions: Mapping[str, int]) -> None:
        """Notes conversations that have moved."""
        for conversation_id, pos in positions.items():
            if self._handled.get(conversation_id) < pos:
                self._agenda.delay(conversation_id, self._consumer.gather_s)

    def on_gap(self) -> None:
        """Sweeps at once, because marks may have been lost."""
        self._sweep_now.set()

    async def _work(self) -> None:
        while not self._is_stopping:
            await self._agenda.wait()
            waited = self._agenda.take(self._batch)
            if not waited:
                continue
            try:
                await self._handle(waited)
                self._batch = min(self._batch * 2, BATCH)
            except AppError as error:
                log.warning("%s waits: %s", self._consumer.name, error)
                self._batch = max(self._batch // 2, 1)
                await self._put_back(waited)
            except Exception:
                log.exception("%s failed", self._consumer.name)
                await self._put_back(waited)

    async def _put_back(self, waited: Mapping[str, float]) -> None:
        for conversation_id, waited_s in waited.items():
            self._agenda.add(conversation_id, waited_s)
        if not self._is_stopping:
            await asyncio.sleep(_jittered(PAUSE_S))

    async def _handle(self, waited: Mapping[str, float]) -> None:
        token = new_id()
        with metrics.BATCH_TIME.labels(self._consumer.name).time():
            claimed = await self._cursors.claim(list(waited), token)
            for conversation_id, pos in claimed.done.items():
                self._handled.note(conversation_id, pos)
            for conversation_id, busy_s in claimed.busy.items():
                delay_s = _jittered(min(busy_s, BUSY_S))
                self._agenda.delay(conversation_id, delay_s, waited[conversation_id])
            if claimed.claims:
                await self._handle_claims(claimed.claims, HeldLease(self._cursors, token))

    async def _handle_claims(self, claims: Sequence[Claim], lease: HeldLease) -> None:
        ids = [claim.conversation_id for claim in claims]
        try:
            async with lease.renewed(ids):
                reached = await self._attempt(claims, lease)
        except BaseException:
            # Others needn't wait for the lease to end.
            with contextlib.suppress(AppError):
                await asyncio.shield(self._cursors.advance(lease.token, dict.fromkeys(ids)))
            raise
        missing = [id_ for id_ in ids if id_ not in reached]
        if missing:
            await self._give_up(lease.token, missing)
        for claim in claims:
            if (pos := reached.get(claim.conversation_id)) is not None:
                self._record(claim, pos)

    async def _attempt(self, claims: Sequence[Claim], lease: HeldLease) -> Mapping[str, int]:
        """Lets the consumer handle the claims; if that fails, each alone."""
        try:
            return await self._consumer.handle(claims, lease)
        except AppError:
            raise
        except Exception:
            if len(claims) == 1:
                log.exception("%s failed at %s", self._consumer.name, claims[0].conversation_id)
                return {}
        reached: dict[str, int] = {}
        for claim in claims:
            reached |= await self._attempt([claim], lease)
        return reached

    async def _give_up(self, token: str, ids: Sequence[str]) -> None:
        """Gives conversations back that were not advanced. Those that were still held have failed."""
        held = await self._cursors.advance(token, dict.fromkeys(ids))
        metrics.LOST_LEASES.labels(self._consumer.name).inc(len(ids) - len(held))
        metrics.FAILURES.labels(self._consumer.name).inc(len(held))
        for conversation_id in ids:
            attempts = 0
            if conversation_id in held:
                attempts = self._attempts.pop(conversation_id, 0) + 1
                if len(self._attempts) < REMEMBERED:
                    self._attempts[conversation_id] = attempts
            doubled = BACK_OFF_S * 2.0 ** min(attempts, _DOUBLINGS_MAX)
            self._agenda.delay(conversation_id, _jittered(min(doubled, BACK_OFF_MAX_S)))

    def _record(self, claim: Claim, pos: int) -> None:
        metrics.POSITIONS.labels(self._consumer.name).inc(pos - claim.pos)
        self._attempts.pop(claim.conversation_id, None)
        self._handled.note(claim.conversation_id, pos)
        if pos < claim.last_pos:
            self._agenda.add(claim.conversation_id)

    async def _sweep(self) -> None:
        while True:
            self._sweep_now.clear()
            try:
                with metrics.SWEEP_TIME.labels(self._consumer.name).time():
                    await self._sweep_once()
            except AppError as error:
                log.warning("the sweep of %s waits: %s", self._consumer.name, error)
                await asyncio.sleep(_jittered(PAUSE_S))
                continue
            except Exception:
                log.exception("the sweep of %s failed", self._consumer.name)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_jittered(SWEEP_INTERVAL_S)):
                    await self._sweep_now.wait()

    async def _sweep_once(self) -> None:
        """Adds all conversations that are behind. While there is no room, it waits for some."""
        after: str | None = FIRST_ID
        while after is not None:
            page = await self._cursors.behind(after)
            for conversation_id in page.conversation_ids:
                while self._agenda.room <= 0:  # noqa: ASYNC110  (each batch makes room for many)
                    await asyncio.sleep(PAUSE_S)
                self._agenda.add(conversation_id, page.oldest_s)
            after = page.upto

    async def _measure(self) -> None:
        while True:
            metrics.BEHIND.labels(self._consumer.name).set(len(self._agenda))
            metrics.LAG.labels(self._consumer.name).set(self._agenda.oldest_s)
            await asyncio.sleep(MEASURE_INTERVAL_S)


def _jittered(seconds: float) -> float:
    """About so long, so that processes don't do the same at the same time."""
    return seconds * random.uniform(0.75, 1.25)
