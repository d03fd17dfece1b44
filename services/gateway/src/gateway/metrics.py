"""Owns what the gateway counts."""

import asyncio

from prometheus_client import Counter, Gauge, Histogram

from messenger_shared.metrics import SECONDS

CONNECTIONS = Gauge("messenger_connections", "Open sockets", multiprocess_mode="livesum")
DELIVERY_TIME = Histogram(
    "messenger_delivery_seconds",
    "From the commit of an event to its writing to sockets, of the oldest in each turn of the loop",
    buckets=SECONDS,
)
DELIVERIES = Counter("messenger_deliveries", "Durable frames written to sockets")
UNKNOWN_TYPES = Counter("messenger_unknown_types", "Frames of a type that nobody knows")
EVICTIONS = Counter("messenger_evictions", "Sockets closed because they didn't read")
TURNED_AWAY = Counter("messenger_turned_away", "Sockets that were told to come back later")
HOLES = Counter("messenger_holes_repaired", "Times that missing events were fetched from chat-api")
PRESENCE_FRAMES = Counter("messenger_presence_frames", "Frames that told a socket how people are")


class Tally:
    """Tells a counter of what happens often once in each turn of the loop: telling it costs 1.3 µs."""

    __slots__ = ("_counter", "_untold")

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._untold = 0

    def count(self) -> None:
        """One more."""
        if not self._untold:
            asyncio.get_running_loop().call_soon(self._tell)
        self._untold += 1

    def _tell(self) -> None:
        self._counter.inc(self._untold)
        self._untold = 0


FRAMES = Tally(Counter("messenger_frames", "Frames that clients sent"))
