"""Counts the processes that deliver to webhooks, so that each takes its share.

They have a channel of their own: on `workers:feed` a process hears who asks for its heartbeat, and a channel
has one handler.
"""

from __future__ import annotations

import asyncio
import contextlib

import orjson

from messenger_shared.bus import channels
from messenger_shared.bus.interface import Bus
from messenger_shared.contract.errors import AppError
from messenger_shared.rpc.workers import DEAD_AFTER_S


class Peers:
    """The processes that were heard of in the last DEAD_AFTER_S."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._heard_at: dict[str, float] = {}
        self._loop = asyncio.get_running_loop()

    async def start(self) -> None:
        """Subscribes. If Redis is away, the bus does so when it is back."""
        with contextlib.suppress(AppError):
            await self._bus.subscribe([channels.FEEDS], self._on_message)

    async def stop(self) -> None:
        """Tells the others that this process leaves."""
        self._bus.unsubscribe([channels.FEEDS])
        self.tell(is_here=False)

    def tell(self, *, is_here: bool) -> None:
        """Tells the others that this process delivers, or leaves. One that can't deliver says nothing."""
        self._bus.publish(channels.FEEDS, orjson.dumps([self._bus.worker, is_here]))

    def count(self) -> int:
        """How many there are, with this one."""
        dead_at = self._loop.time() - DEAD_AFTER_S
        self._heard_at = {worker: at for worker, at in self._heard_at.items() if at > dead_at}
        return len(self._heard_at.keys() | {self._bus.worker})

    def _on_message(self, payload: bytes) -> None:
        worker, is_here = orjson.loads(payload)
        if is_here:
            self._heard_at[worker] = self._loop.time()
        else:
            self._heard_at.pop(worker, None)
