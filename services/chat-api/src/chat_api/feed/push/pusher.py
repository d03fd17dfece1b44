"""Takes what is due from the queue, decides, and gives the pushes to the outbox."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import Final

from chat_api.feed.push import metrics
from chat_api.feed.push.decider import Decider, Intent
from chat_api.feed.push.ledger import LEASE_S, Ledger
from chat_api.feed.push.outbox import Delivery, Outbox
from chat_api.feed.push.queue import Job, PgPushQueue
from chat_api.push.model import Push
from chat_api.push.payloads import Shown, Texts, message_push, read_push, test_push
from chat_api.push.rules import DELAY_S
from messenger_shared.contract.errors import AppError

log = logging.getLogger(__name__)

BATCH: Final = 50
# Users whose devices are read together.
_USERS_MAX: Final = 500
# Tests and reads come at any time, so the queue is looked at so often at least.
IDLE_S: Final = 0.5
# So long pushes may gather that are due soon after each other.
GATHER_S: Final = 0.05
PAUSE_S: Final = 1.0
STOP_S: Final = 5.0


class Pusher:
    """Pushes what is due. Beside others that do the same, each job is one process's for a time."""

    def __init__(
        self, queue: PgPushQueue, decider: Decider, outbox: Outbox, ledger: Ledger, texts: Texts
    ) -> None:
        self._queue = queue
        self._decider = decider
        self._outbox = outbox
        self._ledger = ledger
        self._texts = texts
        # Fewer after a failure: what was too much for one statement is then taken in smaller batches.
        self._batch = BATCH
        self._is_stopping = False
        self._task: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()

    async def start(self) -> None:
        """Starts to push."""
        self._task = asyncio.create_task(self._push_all(), name="pusher")

    async def stop(self) -> None:
        """Takes no more, and waits until all is sent, or for STOP_S."""
        self._is_stopping = True
        if self._task is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await asyncio.wait([self._task])
                await self._outbox.is_empty()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _push_all(self) -> None:
        while not self._is_stopping:
            try:
                await self._outbox.has_room()
                jobs = await self._queue.take(self._batch, LEASE_S)
                if jobs:
                    ages_s = (job.age_s for job in jobs if job.kind == "message" and not job.attempt)
                    metrics.LATE.set(max(max(ages_s, default=DELAY_S) - DELAY_S, 0.0))
                    await self.push(jobs)
                    self._batch = min(2 * self._batch, BATCH)
                else:
                    await self._wait()
            except AppError as error:
                log.warning("pushes wait: %s", error)
                self._batch = max(1, self._batch // 2)
                await asyncio.sleep(PAUSE_S)
            except Exception:
                log.exception("pushing failed")
                await asyncio.sleep(PAUSE_S)

    async def _wait(self) -> None:
        """Returns when the next job is due, or after IDLE_S."""
        next_s = await self._queue.next_s()
        metrics.LATE.set(max(0.0, -next_s) if next_s is not None else 0.0)
        await asyncio.sleep(IDLE_S if next_s is None else min(max(next_s, GATHER_S), IDLE_S))

    async def push(self, jobs: Sequence[Job]) -> None:
        """Decides about jobs that were taken, and gives their pushes to the outbox."""
        taken_at = self._loop.time()
        with self._ledger.opened(jobs) as opened:
            intents = await self._decide(opened)
            for start in range(0, len(intents), _USERS_MAX):
                await self._outbox.has_room()
                await self._give(intents[start : start + _USERS_MAX], taken_at)

    async def _decide(self, jobs: Sequence[Job]) -> list[Intent]:
        about_messages = [job for job in jobs if job.kind != "test"]
        cases = await self._queue.facts(about_messages) if about_messages else []
        intents, decided = await self._decider.decide(cases)
        if decided:
            await self._queue.decide(decided)
        tests = [Intent(job, job.user_id) for job in jobs if job.kind == "test" and job.user_id is not None]
        return intents + tests

    async def _give(self, intents: Sequence[Intent], taken_at: float) -> None:
        messages = {
            (intent.job.conversation_id, intent.job.seq): None
            for intent in intents
            if intent.job.kind == "message"
        }
        shown = await self._queue.shown([(id_, seq) for id_, seq in messages if id_ and seq])
        wanted = [(intent.user_id, intent.job.device_id) for intent in intents]
        for place, badge, device in await self._queue.devices(wanted):
            intent = intents[place]
            self._ledger.add(intent.job.id)
            push = self._push(intent, shown, badge)
            since = taken_at - intent.job.age_s
            self._outbox.put(Delivery(intent.job, intent.user_id, device, push, since))

    def _push(self, intent: Intent, shown: dict[tuple[str, int], Shown], badge: int) -> Push:
        job = intent.job
        if job.conversation_id is None or job.seq is None:
            return test_push(badge)
        if job.kind == "read":
            return read_push(job.conversation_id, job.seq, badge, job.age_s)
        return message_push(
            job.conversation_id,
            job.seq,
            shown[job.conversation_id, job.seq],
            badge,
            self._texts,
            is_mentioned=intent.is_mentioned,
            age_s=job.age_s,
        )
