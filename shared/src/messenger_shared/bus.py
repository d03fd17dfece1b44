"""Owns what a bus is: Pub/Sub between worker processes, at most once, gathered, and honest about gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

Handler = Callable[[bytes], None]
Receipt = Callable[[int | None], None]
GapListener = Callable[[], None]


class Bus(Protocol):
    """One worker process's place on the bus.

    Delivery is at most once: what is published while a subscriber's connection is broken is gone for it.
    Messages of one publisher on one channel arrive in their order. Handlers run on the event loop, one
    after the other, and must not block; what they raise is logged and goes no further.
    """

    worker: str

    @property
    def ready(self) -> bool:
        """Whether a message published now would come back to this worker."""

    def publish(self, channel: str, payload: bytes, receipt: Receipt | None = None) -> None:
        """Sends `payload` with everything else that this turn of the event loop publishes.

        `receipt` is called once with the number of subscribers that were reached, or with None when it
        is unknown: not connected, connection lost, or the outgoing buffer is full (then it was dropped).
        """

    async def subscribe(self, channels: Iterable[str], handler: Handler) -> None:
        """Returns when every channel is confirmed; a channel has one handler, the latest.

        Raises AppError(unavailable) when Redis doesn't confirm in time; the subscription stays wanted
        and is made as soon as the connection is back.
        """

    def unsubscribe(self, channels: Iterable[str]) -> None:
        """Ends the subscriptions; messages that are under way may still be handled or not."""

    def on_gap(self, listener: GapListener) -> None:
        """Calls `listener` each time messages may have been lost and the subscriptions are whole again."""

    async def start(self) -> None:
        """Connects; returns when the bus is ready; after a deadline raises SettingsError, with the reason."""

    async def stop(self) -> None:
        """Sends what is gathered, then disconnects."""
