"""A bus inside one process, for tests. It behaves like the Redis bus, and tests can make it fail."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from messenger_shared.bus.interface import GapListener, Handler, Receipt

log = logging.getLogger(__name__)


class MemoryBroker:
    """Stands for the Redis server: connects all MemoryBuses. `drops` decides which deliveries are lost."""

    def __init__(self) -> None:
        self.buses: list[MemoryBus] = []
        self.drops: Callable[[str, bytes], bool] = lambda channel, payload: False

    def publish(self, channel: str, payload: bytes) -> int:
        """Delivers `payload` to every subscriber in the next loop turn. Returns the number of subscribers."""
        reached = [bus for bus in self.buses if channel in bus.handlers]
        for bus in reached:
            if not self.drops(channel, payload):
                asyncio.get_running_loop().call_soon(bus.handle, channel, payload)
        return len(reached)


class MemoryBus:
    """A Bus over a MemoryBroker."""

    lanes: Sequence[str] = ("",)

    def __init__(self, broker: MemoryBroker, worker: str) -> None:
        self.worker = worker
        self.handlers: dict[str, Handler] = {}
        self._broker = broker
        self._gap_listeners: list[GapListener] = []
        self._outbox: list[tuple[str, bytes, Receipt | None]] = []

    def lane(self, channel: str) -> str:
        return self.lanes[0]

    @property
    def ready(self) -> bool:
        return self in self._broker.buses

    @property
    def connected(self) -> bool:
        return self.ready

    def publish(self, channel: str, payload: bytes, receipt: Receipt | None = None) -> None:
        if not self._outbox:
            asyncio.get_running_loop().call_soon(self._flush)
        self._outbox.append((channel, payload, receipt))

    async def subscribe(self, channels: Iterable[str], handler: Handler) -> None:
        await self.subscribe_each(dict.fromkeys(channels, handler))

    async def subscribe_each(self, handlers: Mapping[str, Handler]) -> None:
        self.handlers |= handlers
        await asyncio.sleep(0)

    def unsubscribe(self, channels: Iterable[str]) -> None:
        for channel in channels:
            self.handlers.pop(channel, None)

    def on_gap(self, listener: GapListener) -> None:
        self._gap_listeners.append(listener)

    async def start(self) -> None:
        self._broker.buses.append(self)

    async def stop(self) -> None:
        self._flush()
        if self.ready:
            self._broker.buses.remove(self)

    def handle(self, channel: str, payload: bytes) -> None:
        """Runs the handler of `channel`; logs what it raises."""
        handler = self.handlers.get(channel)
        if handler is None:
            return
        try:
            handler(payload)
        except Exception:
            log.exception("handler of channel %s failed", channel)

    async def interrupt(self) -> None:
        """Loses the connection, reconnects at once and reports a gap, like a killed Pub/Sub client."""
        await self.stop()
        await self.start()
        for listener in self._gap_listeners:
            listener()

    def _flush(self) -> None:
        outbox, self._outbox = self._outbox, []
        for channel, payload, receipt in outbox:
            reached = self._broker.publish(channel, payload) if self.ready else None
            if receipt is not None:
                receipt(reached)
