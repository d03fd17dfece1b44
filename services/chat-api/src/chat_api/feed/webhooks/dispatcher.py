"""Delivers to one webhook: what is new in the log, and what failed before, several conversations at once.

A conversation is delivered by one lane at a time, in the order of pos. If its next change fails, the
conversation goes into the backlog, and the lane is free for others.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter, OrderedDict
from collections.abc import Iterable
from functools import partial
from typing import Final

from chat_api.event_ports import ChangeStore, EventLog
from chat_api.feed.reached import Reached
from chat_api.feed.webhooks import metrics
from chat_api.feed.webhooks.lane import CHANGES, FRESH_S, Arrival, deliver
from chat_api.feed.webhooks.model import Work
from chat_api.feed.webhooks.presence import PresencePosts
from chat_api.feed.webhooks.receiver import Receiver
from chat_api.feed.webhooks.store import PgDeliveries
from chat_api.webhooks.schedule import delay_s
from messenger_shared.contract import timestamps
from messenger_shared.contract.errors import AppError

log = logging.getLogger(__name__)

LANES: Final = 16
# Others are left to what is new, however many conversations fail slowly.
RETRY_LANES: Final = 8
# Rows of the log that are read at once, and that are read but not done with.
PAGE: Final = 200
OPEN_MAX: Final = 1_000
TICK_S: Final = 1.0
# Why a conversation is in the backlog that has so many changes that its lane doesn't keep up.
BUSY: Final = "busy"


class Dispatcher:
    """The deliveries to one webhook, while this process has its lease."""

    def __init__(
        self, receiver: Receiver, number: int, event_log: EventLog, changes: ChangeStore, store: PgDeliveries
    ) -> None:
        self.receiver = receiver
        self.presence = PresencePosts(receiver)
        self._webhook_id = receiver.webhook.id
        self._name = receiver.webhook.name
        self._log, self._changes, self._store = event_log, changes, store
        # The next number of the log to read, and the rows that were read and aren't done with.
        self._next = number + 1
        self._open: set[int] = set()
        # What waits for a lane, and what has one.
        self._waiting: OrderedDict[str, Work] = OrderedDict()
        self._running: dict[str, Work] = {}
        self._lanes: set[asyncio.Task[None]] = set()
        self._retrying: set[str] = set()
        self._delivered = Reached()
        # A page of the log tells which conversations wait. Neither may change in between.
        self._lock = asyncio.Lock()
        self._changed = asyncio.Event()
        self._may_have_more = True
        self._may_have_due = True
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None

    @property
    def number(self) -> int:
        """The number up to which everything is delivered, or waits in the backlog."""
        return min(self._open, default=self._next) - 1

    async def start(self) -> None:
        """Starts to deliver."""
        self._task = asyncio.create_task(self._run(), name=f"webhook {self._name}")

    async def stop(self) -> None:
        """Ends deliveries. Those under way may have arrived, and are repeated."""
        self.receiver.is_over = True
        tasks = [task for task in (self._task, *self._lanes) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.presence.stop()
        with contextlib.suppress(AppError):
            await self.receiver.record()

    def wake(self) -> None:
        """Looks for something to do."""
        self._may_have_more = True
        self._changed.set()

    async def _run(self) -> None:
        tick_at = self._loop.time()
        while not self.receiver.is_over:
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
                log.warning("webhook %s waits: %s", self._name, error)
                await asyncio.sleep(TICK_S)
            except Exception:
                log.exception("webhook %s failed", self._name)
                await asyncio.sleep(TICK_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(tick_at):
                    await self._changed.wait()

    async def _retry(self) -> None:
        """Adds the conversations of the backlog that are due."""
        room = min(RETRY_LANES - len(self._retrying), LANES - len(self._running))
        if room <= 0:
            return
        found = await self._store.due(self._webhook_id, self._running, room)
        self._may_have_due = len(found) == room
        for due in found:
            if due.conversation_id not in self._running:
                work = Work(due.conversation_id, due.pos, due.pos + 1, timestamps.now_text())
                work.was, work.attempts = due.pos, due.attempts
                self._retrying.add(due.conversation_id)
                self._start_lane(work)

    async def _read_log(self) -> None:
        while self._may_have_more and len(self._waiting) < PAGE:
            while len(self._open) >= OPEN_MAX and not self.receiver.is_over:
                await self._hold_busiest()
            async with self._lock:
                rows = await self._log.page(self._next, PAGE, self._webhook_id)
                if rows and rows[0].number > self._next:
                    metrics.FORGOTTEN.labels(self._name).inc(rows[0].number - self._next)
                    log.error("webhook %s was away for longer than events are kept", self._name)
                for row in rows:
                    self._next = row.number + 1
                    if not row.waits and self._delivered.get(row.conversation_id) < row.upto:
                        self._open.add(row.number)
                        at = timestamps.to_text(row.at)
                        self._add(Work(row.conversation_id, row.after, row.upto, at, [row.number]))
                self._may_have_more = len(rows) == PAGE

    def _add(self, work: Work) -> None:
        """Puts work at the end of the queue, together with what waits there of its conversation."""
        known = self._waiting.get(work.conversation_id)
        if known is None:
            self._waiting[work.conversation_id] = work
        else:
            known.upto, known.at = max(known.upto, work.upto), work.at
            known.numbers += work.numbers

    async def _hold_busiest(self) -> None:
        """Puts the conversation with the most open rows into the backlog, so that it holds up only itself.

        What its lane delivers meanwhile is noted there when the lane ends.
        """
        rows = Counter[str]()
        for work in (*self._waiting.values(), *self._running.values()):
            rows[work.conversation_id] += len(work.numbers)
        [(id_, _)] = rows.most_common(1)
        async with self._lock:
            found = [work for work in (self._running.get(id_), self._waiting.get(id_)) if work is not None]
            if not any(work.numbers for work in found):
                # Its lane has ended.
                return
            pos = max(found[0].after, self._delivered.get(id_))
            await self._store.hold(self._webhook_id, id_, pos, 0, 0.0, BUSY, None)
            if found[0] is self._running.get(id_) and found[0].was is None:
                found[0].was = pos
            self._close(id_)

    def _close(self, conversation_id: str) -> None:
        """Notes that the rows of a conversation are done with: they are delivered, or in the backlog."""
        waiting = self._waiting.pop(conversation_id, None)
        for work in (waiting, self._running.get(conversation_id)):
            if work is not None:
                self._open.difference_update(work.numbers)
                work.numbers.clear()

    async def _start_lanes(self) -> None:
        while len(self._running) < LANES and not self.receiver.is_over:
            ready = [work for id_, work in self._waiting.items() if id_ not in self._running][:LANES]
            if not ready:
                return
            if ready[0].changes is None or self._loop.time() - ready[0].read_at > FRESH_S:
                await self._read_ahead(ready)
            work = ready[0]
            if self._waiting.get(work.conversation_id) is work and work.conversation_id not in self._running:
                del self._waiting[work.conversation_id]
                self._start_lane(work)

    async def _read_ahead(self, works: Iterable[Work]) -> None:
        positions = {}
        for work in works:
            work.after = max(work.after, self._delivered.get(work.conversation_id))
            positions[work.conversation_id] = work.after
        read_at = self._loop.time()
        found = await self._changes.after_each(positions, CHANGES)
        for work in works:
            work.changes, work.read_at = found.get(work.conversation_id), read_at

    def _start_lane(self, work: Work) -> None:
        id_ = work.conversation_id
        task = asyncio.create_task(self._lane(work), name=f"webhook {self._name} {id_}")
        self._running[id_] = work
        self._lanes.add(task)
        task.add_done_callback(partial(self._lane_ended, work))

    def _lane_ended(self, work: Work, task: asyncio.Task[None]) -> None:
        self._lanes.discard(task)
        del self._running[work.conversation_id]
        self._retrying.discard(work.conversation_id)
        if task.cancelled() or (error := task.exception()) is None:
            self._changed.set()
            return
        if not isinstance(error, AppError):
            log.error("webhook %s failed at %s", self._name, work.conversation_id, exc_info=error)
        if work.was is None:
            work.changes = None
            later = self._waiting.pop(work.conversation_id, None)
            self._waiting[work.conversation_id] = work
            if later is not None:
                self._add(later)
        # Not at once: PostgreSQL is away, or there are too many requests.
        self._loop.call_later(TICK_S, self._changed.set)

    async def _lane(self, work: Work) -> None:
        id_ = work.conversation_id
        # The backlog says where to begin: somebody may have asked for what is delivered already.
        start = max(work.after, self._delivered.get(id_)) if work.was is None else work.was
        while True:
            arrival = await deliver(work, start, self._changes, self.receiver)
            self._delivered.note(id_, max(arrival.pos, self._delivered.get(id_)))
            if arrival.failure is not None:
                # If the receiver wants no more, nothing is advanced, so that nothing is lost.
                if not self.receiver.is_over:
                    await self._hold(work, arrival)
                return
            async with self._lock:
                if work.was is None:
                    self._open.difference_update(work.numbers)
                    work.numbers.clear()
                    return
                onward = await self._store.settle(self._webhook_id, id_, work.was, arrival.pos)
            if onward != arrival.pos:
                return
            work.was = start = onward
            work.attempts, work.changes, work.upto = 0, None, onward + 1

    async def _hold(self, work: Work, arrival: Arrival) -> None:
        """Puts a conversation whose next change failed into the backlog."""
        assert arrival.failure is not None
        id_, outcome = work.conversation_id, arrival.failure
        delay = delay_s(arrival.attempts, outcome.retry_after_s)
        async with self._lock:
            await self._store.hold(
                self._webhook_id, id_, arrival.pos, arrival.attempts, delay, outcome.reason, work.was
            )
            self._close(id_)
        if delay is None:
            metrics.PARKED_TOTAL.labels(self._name).inc()
            log.error("webhook %s: %s is parked after %s", self._name, id_, outcome.reason)
