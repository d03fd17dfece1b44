"""Hears the high-water marks of conversations on the bus, and tells the followers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping

import orjson

from messenger_shared.bus import channels
from messenger_shared.bus.interface import Bus
from messenger_shared.contract.errors import AppError

Listener = Callable[[Mapping[str, int]], None]


class Marks:
    """The marks that chat-api publishes every second. One that is lost is made up for by sweeps."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._channels = [channels.HIGH_WATER_MARKS + lane for lane in bus.lanes]
        self._listeners: list[Listener] = []

    def add(self, listener: Listener) -> None:
        """Calls `listener` with the last pos of each conversation that has changed lately."""
        self._listeners.append(listener)

    async def start(self) -> None:
        """Subscribes. If Redis is away, the bus does so when it is back."""
        with contextlib.suppress(AppError):
            await self._bus.subscribe(self._channels, self._on_payload)

    async def stop(self) -> None:
        """Unsubscribes."""
        self._bus.unsubscribe(self._channels)

    def _on_payload(self, payload: bytes) -> None:
        positions = orjson.loads(payload)["positions"]
        for listener in self._listeners:
            listener(positions)
