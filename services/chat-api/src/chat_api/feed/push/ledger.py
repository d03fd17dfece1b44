"""Notes what became of the pushes of jobs, and writes it down together."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Iterator, Sequence
from typing import Final

from chat_api.feed.push import metrics
from chat_api.feed.push.outbox import Delivery
from chat_api.feed.push.queue import Again, Job, PgPushQueue
from chat_api.push.model import Result
from messenger_shared.contract.errors import AppError

log = logging.getLogger(__name__)

# Nobody else has a job for so long, and it is renewed so often.
LEASE_S: Final = 30.0
RENEW_S: Final = 10.0
WRITE_S: Final = 0.1
PAUSE_S: Final = 1.0
# Pauses between attempts, if the push service asks for none.
BACK_OFF_S: Final = 5.0
BACK_OFF_MAX_S: Final = 3_600.0
_DOUBLINGS_MAX: Final = 10


class Ledger:
    """The jobs of this process. A job is done when all of its pushes are."""

    def __init__(self, queue: PgPushQueue) -> None:
        self._queue = queue
        # Job id -> pushes that are yet to be settled, and one more while they are being added.
        self._open: dict[int, int] = {}
        self._done: list[int] = []
        self._gone: set[int] = set()
        self._again: list[Again] = []
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._loop = asyncio.get_running_loop()

    async def start(self) -> None:
        """Starts to write down and to renew."""
        self._tasks = [
            asyncio.create_task(work, name="push ledger") for work in (self._write_all(), self._renew_all())
        ]

    async def stop(self) -> None:
        """Writes down what there is, once."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await self.write()
        except AppError as error:
            log.warning("what became of pushes is lost: %s", error)

    @contextlib.contextmanager
    def opened(self, jobs: Sequence[Job]) -> Iterator[list[Job]]:
        """Opens jobs, whose pushes are added in the block. If it fails, they come again after their lease.

        Yields those that aren't this process's yet: a job whose lease couldn't be renewed is taken again.
        """
        held = self._open.keys() | self._done
        opened = [job for job in jobs if job.id not in held]
        self._open |= {job.id: 1 for job in opened}
        try:
            yield opened
        except BaseException:
            for job in opened:
                self._open.pop(job.id, None)
            raise
        for job in opened:
            self._close(job.id)

    def add(self, job_id: int) -> None:
        """Notes a push of the job."""
        self._open[job_id] += 1

    def _close(self, job_id: int) -> None:
        """Notes that a push of the job is settled, or that it gets no more pushes."""
        if job_id not in self._open:
            return
        self._open[job_id] -= 1
        if not self._open[job_id]:
            del self._open[job_id]
            self._done.append(job_id)
        self._wake.set()

    def settle(self, delivery: Delivery, result: Result) -> None:
        """Notes what became of a push."""
        if result.status == "gone":
            metrics.GONE.inc()
            self._gone.add(delivery.device.id)
        elif result.status == "retry":
            self._try_again(delivery, result.retry_after_s)
        self._close(delivery.job.id)

    def _try_again(self, delivery: Delivery, retry_after_s: float | None) -> None:
        job = delivery.job
        doubled = BACK_OFF_S * 2.0 ** min(job.attempt, _DOUBLINGS_MAX) * random.uniform(0.75, 1.25)
        pause_s = max(min(doubled, BACK_OFF_MAX_S), retry_after_s or 0.0)
        if pause_s < delivery.push.ttl_s:
            metrics.RETRIES.inc()
            age_s = self._loop.time() - delivery.since
            self._again.append(Again(job, delivery.user_id, delivery.device.id, age_s, pause_s))
        else:
            metrics.FAILURES.labels(metrics.EXPIRED).inc()

    async def write(self) -> None:
        """Writes down what was noted. Raises AppError, and then it is still noted."""
        done, gone, again = self._done, self._gone, self._again
        if not (done or gone or again):
            return
        self._done, self._gone, self._again = [], set(), []
        try:
            await self._queue.finish(done, list(gone), again)
        except BaseException:
            self._done, self._gone, self._again = done + self._done, gone | self._gone, again + self._again
            raise

    async def _write_all(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await asyncio.sleep(WRITE_S)
            try:
                await self.write()
            except AppError as error:
                log.warning("what became of pushes can't be written yet: %s", error)
                await asyncio.sleep(PAUSE_S)
                self._wake.set()
            except Exception:
                log.exception("writing what became of pushes failed")
                await asyncio.sleep(PAUSE_S)
                self._wake.set()

    async def _renew_all(self) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            held = [*self._open, *self._done]
            if held:
                try:
                    await self._queue.renew(held, LEASE_S)
                except AppError as error:
                    log.warning("pushes may be repeated: %s", error)
                except Exception:
                    log.exception("renewing pushes failed")
