"""Delivers to one webhook: what is new in the log, and what failed before, several conversations at once.

A conversation is delivered by one lane at a time, in the order of pos. If its next change fails, the
conversation goes into the backlog, and the lane is free for others.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Iterable
from functools import partial
from typing import Final

from chat_api.feed.webhooks import metrics
from chat_api.feed.webhooks.lane import CHANGES, Arrival, Changes, deliver
from chat_api.feed.webhooks.model import Attempt, Outcome, Webhook, Work
from chat_api.feed.webhooks.postman import Postman
from chat_api.feed.webhooks.store import PgDeliveries
from chat_api.storage.event_log import PgEventLog
from chat_api.webhooks.bodies import body_of, event_id
from chat_api.webhooks.schedule import Verdict, delay_s
from messenger_shared.contract import errors, timestamps
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.events import Event

log = logging.getLogger(__name__)

LANES: Final = 16
# Others are left to what is new, however many conversations fail slowly.
RETRY_LANES: Final = 8
# Rows of the log that are read at once, and that are read but not done with.
PAGE: Final = 200
OPEN_MAX: Final = 1_000
TICK_S: Final = 1.0
ATTEMPTS_MAX: Final = 2_000
_REMEMBERED: Final = 100_000


class Dispatcher:
    """The deliveries to one webhook, while this process has its lease."""

    def __init__(
        self,
        webhook: Webhook,
        number: int,
        event_log: PgEventLog,
        changes: Changes,
        store: PgDeliveries,
        postman: Postman,
    ) -> None:
        self.webhook = webhook
        # Until then, on the loop's clock, nobody else delivers.
        self.leased_until = 0.0
        self.is_over = False
        self._log, self._changes, self._store, self._postman = event_log, changes, store, postman
        # The next number of the log to read, and the rows that were read and aren't done with.
        self._next = number + 1
        self._open: set[int] = set()
        self._waiting: OrderedDict[str, Work] = OrderedDict()
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._retrying: set[str] = set()
        # How far conversations were delivered, as far as this process remembers.
        self._delivered: OrderedDict[str, int] = OrderedDict()
        # A page of the log tells which conversations wait. Neither may change in between.
        self._lock = asyncio.Lock()
        self._changed = asyncio.Event()
        self._may_have_more = True
        self._may_have_due = True
        self._attempts: list[Attempt] = []
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None

    @property
    def number(self) -> int:
        """The number up to which everything is delivered, or waits in the backlog."""
        return min(self._open, default=self._next) - 1

    async def start(self) -> None:
        """Starts to deliver."""
        self._task = asyncio.create_task(self._run(), name=f"webhook {self.webhook.name}")

    async def stop(self) -> None:
        """Ends deliveries. Those under way may have arrived, and are repeated."""
        self.is_over = True
        tasks = [task for task in (self._task, *self._lanes.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(AppError):
            await self.record()

    def wake(self) -> None:
        """Looks for something to do."""
        self._may_have_more = True
        self._changed.set()

    async def record(self) -> None:
        """Writes down what was tried since the last time. Raises AppError."""
        attempts, self._attempts = self._attempts, []
        if not attempts:
            return
        try:
            await self._store.record(self.webhook.id, attempts)
        except AppError:
            self._attempts = (attempts + self._attempts)[:ATTEMPTS_MAX]
            raise

    async def _run(self) -> None:
        tick_at = self._loop.time()
        while not self.is_over:
            self._changed.clear()
            try:
                if self._loop.time() >= tick_at:
                    tick_at = self._loop.time() + TICK_S
                    self._may_have_more = self._may_have_due = True
                # Before what is new, which would take each lane that becomes free.
                if self._may_have_due:
                    await self._retry()
                await self._read_log()
                await self._start_lanes()
            except AppError as error:
                log.warning("webhook %s waits: %s", self.webhook.name, error)
                await asyncio.sleep(TICK_S)
            except Exception:
                log.exception("webhook %s failed", self.webhook.name)
                await asyncio.sleep(TICK_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(tick_at):
                    await self._changed.wait()

    async def _retry(self) -> None:
        """Adds the conversations of the backlog that are due."""
        room = min(RETRY_LANES - len(self._retrying), LANES - len(self._lanes))
        if room <= 0:
            return
        found = await self._store.due(self.webhook.id, self._lanes, room)
        self._may_have_due = len(found) == room
        for due in found:
            if due.conversation_id in self._lanes:
                continue
            work = Work(due.conversation_id, due.pos, due.pos + 1, timestamps.now_text())
            work.attempts, work.is_retry = due.attempts, True
            self._start_lane(work)

    async def _read_log(self) -> None:
        while self._may_have_more and len(self._open) < OPEN_MAX and len(self._waiting) < PAGE:
            async with self._lock:
                rows = await self._log.page(self._next, PAGE, self.webhook.id)
                if rows and rows[0].number > self._next:
                    metrics.FORGOTTEN.labels(self.webhook.name).inc(rows[0].number - self._next)
                    log.error("webhook %s was away for longer than events are kept", self.webhook.name)
                for row in rows:
                    self._next = row.number + 1
                    if not row.waits and self._delivered.get(row.conversation_id, 0) < row.upto:
                        self._open.add(row.number)
                        at = timestamps.to_text(row.at)
                        work = Work(row.conversation_id, row.after, row.upto, at, [row.number])
                        self._add(work)
                self._may_have_more = len(rows) == PAGE

    def _add(self, work: Work) -> None:
        """Puts work at the end of the queue, together with what waits there of its conversation."""
        known = self._waiting.get(work.conversation_id)
        if known is None:
            self._waiting[work.conversation_id] = work
        else:
            known.upto, known.at = max(known.upto, work.upto), work.at
            known.numbers += work.numbers

    async def _start_lanes(self) -> None:
        while len(self._lanes) < LANES and not self.is_over:
            ready = [work for id_, work in self._waiting.items() if id_ not in self._lanes][:LANES]
            if not ready:
                return
            if ready[0].changes is None:
                await self._read_ahead(ready)
            work = ready[0]
            if self._waiting.get(work.conversation_id) is work and work.conversation_id not in self._lanes:
                del self._waiting[work.conversation_id]
                self._start_lane(work)

    async def _read_ahead(self, works: Iterable[Work]) -> None:
        positions = {}
        for work in works:
            work.after = max(work.after, self._delivered.get(work.conversation_id, 0))
            positions[work.conversation_id] = work.after
        found = await self._changes.after_each(positions, CHANGES)
        for work in works:
            work.changes = found.get(work.conversation_id)

    def _start_lane(self, work: Work) -> None:
        id_ = work.conversation_id
        run = self._retry_lane(work) if work.is_retry else self._lane(work)
        task = asyncio.create_task(run, name=f"webhook {self.webhook.name} {id_}")
        self._lanes[id_] = task
        if work.is_retry:
            self._retrying.add(id_)
        task.add_done_callback(partial(self._lane_ended, work))

    def _lane_ended(self, work: Work, task: asyncio.Task[None]) -> None:
        self._lanes.pop(work.conversation_id, None)
        self._retrying.discard(work.conversation_id)
        if not task.cancelled() and (error := task.exception()) is not None:
            if not isinstance(error, AppError):
                log.error("webhook %s failed at %s", self.webhook.name, work.conversation_id, exc_info=error)
            if not work.is_retry:
                work.changes = None
                later = self._waiting.pop(work.conversation_id, None)
                self._waiting[work.conversation_id] = work
                if later is not None:
                    self._add(later)
            # Not at once: PostgreSQL is away, or there are too many requests.
            self._loop.call_later(TICK_S, self._changed.set)
            return
        self._changed.set()

    async def _lane(self, work: Work) -> None:
        id_ = work.conversation_id
        start = max(work.after, self._delivered.get(id_, 0))
        arrival = await deliver(work, start, self._changes, self._attempt, self.webhook.types)
        self._remember(id_, arrival.pos)
        if arrival.failure is None:
            self._open.difference_update(work.numbers)
        elif not self._is_gone(arrival.failure):
            await self._hold(work, arrival, None)

    async def _retry_lane(self, work: Work) -> None:
        id_, was = work.conversation_id, work.after
        while True:
            arrival = await deliver(work, was, self._changes, self._attempt, self.webhook.types)
            self._remember(id_, arrival.pos)
            if arrival.failure is not None:
                if not self._is_gone(arrival.failure):
                    await self._hold(work, arrival, was)
                return
            async with self._lock:
                onward = await self._store.settle(self.webhook.id, id_, was, arrival.pos)
            if onward != arrival.pos:
                return
            was, work.attempts, work.changes, work.upto = onward, 0, None, onward + 1

    async def _hold(self, work: Work, arrival: Arrival, was: int | None) -> None:
        """Puts a conversation whose next change failed into the backlog."""
        assert arrival.failure is not None
        id_, outcome = work.conversation_id, arrival.failure
        delay = delay_s(arrival.attempts, outcome.retry_after_s)
        async with self._lock:
            await self._store.hold(
                self.webhook.id, id_, arrival.pos, arrival.attempts, delay, outcome.reason, was
            )
            self._open.difference_update(work.numbers)
            if (later := self._waiting.pop(id_, None)) is not None:
                self._open.difference_update(later.numbers)
        if delay is None:
            metrics.PARKED_TOTAL.labels(self.webhook.name).inc()
            log.error("webhook %s: %s is parked after %s", self.webhook.name, id_, outcome.reason)

    def _is_gone(self, outcome: Outcome) -> bool:
        """Whether the receiver wants no more. Then nothing is advanced, so that nothing is lost."""
        if outcome.verdict is Verdict.GONE:
            self.is_over = True
        return self.is_over

    async def _attempt(self, event: Event, at: str, number: int) -> Outcome:
        if self.is_over or self._loop.time() >= self.leased_until:
            raise AppError(errors.UNAVAILABLE)
        body = body_of(event, at)
        outcome, attempt = await self._postman.post(self.webhook, event_id(event), body, number)
        if len(self._attempts) < ATTEMPTS_MAX:
            self._attempts.append(attempt)
        if outcome.verdict is Verdict.GONE:
            metrics.DISABLED.labels(self.webhook.name).inc()
            log.error("webhook %s is disabled: its receiver answered 410", self.webhook.name)
            await self._store.disable(self.webhook.id)
        return outcome

    def _remember(self, conversation_id: str, pos: int) -> None:
        self._delivered[conversation_id] = max(pos, self._delivered.get(conversation_id, 0))
        self._delivered.move_to_end(conversation_id)
        if len(self._delivered) > _REMEMBERED:
            self._delivered.popitem(last=False)
