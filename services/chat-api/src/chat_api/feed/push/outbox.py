"""Sends pushes: many at once, but one after the other to a device, so that the newest arrives last."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from chat_api.feed.push import metrics
from chat_api.feed.push.queue import Job
from chat_api.push.model import Channel, Device, Push, Result

log = logging.getLogger(__name__)

# Pushes at once; some wait for a turn at their push service. One answers in 50 ms or so.
PARALLEL: Final = 128
# Above this, no more jobs are taken.
WAITING_MAX: Final = 2_000
# Of one user, whose push services may all be slow: devices that are pushed to at once, and pushes that wait.
USER_PARALLEL: Final = 4
USER_WAITING_MAX: Final = 200


class Delivery(NamedTuple):
    """A push of a job to one device of a user. `since` is the time of the event loop when it happened."""

    job: Job
    user_id: int
    device: Device
    push: Push
    since: float


@dataclass(slots=True)
class _User:
    """What a user has in the outbox: how many pushes, how many devices in turn, and those after them."""

    pushes: int = 0
    in_turn: int = 0
    devices: deque[int] = field(default_factory=deque)


class Outbox:
    """Pushes that wait, by device. `on_result` gets what became of each.

    A push that still waits when a newer one of its topic comes is left out. What is too much of one user
    isn't taken, and is to be tried again.
    """

    def __init__(
        self, channels: Mapping[str, Channel], on_result: Callable[[Delivery, Result], None]
    ) -> None:
        self._channels = channels
        self._on_result = on_result
        self._waiting: dict[int, deque[Delivery]] = {}
        self._users: defaultdict[int, _User] = defaultdict(_User)
        # Users, and their devices that have pushes and none under way. At most USER_PARALLEL for each user.
        self._ready: asyncio.Queue[tuple[int, int]] = asyncio.Queue()
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
        self._counted(delivery, 1)
        waiting = self._waiting.get(device_id, deque())
        older = next((one for one in waiting if topic is not None and one.push.topic == topic), None)
        if older is not None:
            waiting.remove(older)
            metrics.SKIPPED.labels("superseded").inc()
            self._settle(older, Result("sent"))
        elif self._users[delivery.user_id].pushes > USER_WAITING_MAX:
            self._settle(delivery, Result("retry", "too_busy"))
            return
        waiting.append(delivery)
        if device_id not in self._waiting:
            self._waiting[device_id] = waiting
            self._line_up(delivery.user_id, device_id)

    def _line_up(self, user_id: int, device_id: int) -> None:
        user = self._users[user_id]
        if user.in_turn < USER_PARALLEL:
            user.in_turn += 1
            self._ready.put_nowait((user_id, device_id))
        else:
            user.devices.append(device_id)

    async def _send_all(self) -> None:
        while True:
            user_id, device_id = await self._ready.get()
            delivery = self._waiting[device_id].popleft()
            result = await self._send(delivery)
            self._end_turn(user_id, device_id)
            self._settle(delivery, result)

    def _end_turn(self, user_id: int, device_id: int) -> None:
        user = self._users[user_id]
        user.in_turn -= 1
        if self._waiting[device_id]:
            user.devices.append(device_id)
        else:
            del self._waiting[device_id]
        if user.devices:
            self._line_up(user_id, user.devices.popleft())
        self._forget_idle(user_id)

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
        self._counted(delivery, -1)

    def _forget_idle(self, user_id: int) -> None:
        # A device may have become another user's while it had a turn, so either may end first.
        user = self._users[user_id]
        if not (user.pushes or user.in_turn):
            del self._users[user_id]

    def _counted(self, delivery: Delivery, change: int) -> None:
        self._users[delivery.user_id].pushes += change
        self._forget_idle(delivery.user_id)
        self._count += change
        metrics.WAITING.set(self._count)
        for event, is_so in ((self._has_room, self._count < WAITING_MAX), (self._is_empty, not self._count)):
            if is_so:
                event.set()
            else:
                event.clear()
