"""Sends pushes: many at once, but one after the other to a device, so that the newest arrives last."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from chat_api.feed.push import metrics
from chat_api.feed.push.queue import Job
from chat_api.push.model import Channel, Device, Push, Result

log = logging.getLogger(__name__)

# Pushes at once; some wait for a turn at their push service. One answers in 50 ms or so.
PARALLEL: Final = 128
# Above this, no more jobs are taken.
WAITING_MAX: Final = 2_000


class Delivery(NamedTuple):
    """A push of a job to one device of a user. `since` is the time of the event loop when it happened."""

    job: Job
    user_id: int
    device: Device
    push: Push
    since: float


class Outbox:
    """Pushes that wait, by device. `on_result` gets what became of each.

    A push that still waits when a newer one of its topic comes is left out.
    """

    def __init__(
        self, channels: Mapping[str, Channel], on_result: Callable[[Delivery, Result], None]
    ) -> None:
        self._channels = channels
        self._on_result = on_result
        self._waiting: dict[int, deque[Delivery]] = {}
        # Devices with pushes that wait and none under way. At most one entry for each push that waits.
        self._ready: asyncio.Queue[int] = asyncio.Queue()
        self._count = 0
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._is_empty = asyncio.Event()
        self._is_empty.set()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Starts to send."""
        self._tasks = [asyncio.create_task(self._send_all(), name="push outbox") for _ in range(PARALLEL)]

    async def stop(self) -> None:
        """Ends at once. What is under way is pushed again by whoever takes its job."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def has_room(self) -> None:
        """Returns when there is room for more. One batch of a caller's may be larger than the room."""
        await self._has_room.wait()

    async def is_empty(self) -> None:
        """Returns when nothing waits and nothing is under way."""
        await self._is_empty.wait()

    def put(self, delivery: Delivery) -> None:
        """Adds a push."""
        device_id, topic = delivery.device.id, delivery.push.topic
        waiting = self._waiting.get(device_id)
        if waiting is None:
            waiting = self._waiting[device_id] = deque()
            self._ready.put_nowait(device_id)
        older = next((one for one in waiting if topic is not None and one.push.topic == topic), None)
        if older is not None:
            waiting.remove(older)
            metrics.SKIPPED.labels("superseded").inc()
            self._settle(older, Result("sent"))
        waiting.append(delivery)
        self._counted(1)

    async def _send_all(self) -> None:
        while True:
            device_id = await self._ready.get()
            delivery = self._waiting[device_id].popleft()
            self._settle(delivery, await self._send(delivery))
            if self._waiting[device_id]:
                self._ready.put_nowait(device_id)
            else:
                del self._waiting[device_id]

    async def _send(self, delivery: Delivery) -> Result:
        channel = self._channels.get(delivery.device.kind)
        if channel is None:
            return Result("failed", "no_channel")
        try:
            result = await channel.send(delivery.device, delivery.push)
        except Exception:
            # Without the device: its address and its keys are nobody's business.
            log.exception("a push to a device of kind %s failed", delivery.device.kind)
            return Result("failed", "internal")
        if result.status == "sent":
            metrics.SENT.labels(delivery.job.kind).inc()
            if delivery.job.kind == "message" and not delivery.job.attempt:
                metrics.SEND_TIME.observe(asyncio.get_running_loop().time() - delivery.since)
        return result

    def _settle(self, delivery: Delivery, result: Result) -> None:
        if result.failure:
            metrics.FAILURES.labels(result.failure).inc()
        self._on_result(delivery, result)
        self._counted(-1)

    def _counted(self, change: int) -> None:
        self._count += change
        metrics.WAITING.set(self._count)
        for event, is_so in ((self._has_room, self._count < WAITING_MAX), (self._is_empty, not self._count)):
            if is_so:
                event.set()
            else:
                event.clear()
