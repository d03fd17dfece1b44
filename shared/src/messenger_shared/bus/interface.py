"""Defines the bus: Pub/Sub between worker processes, at most once, which reports gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

Handler = Callable[[bytes], None]
Receipt = Callable[[int | None], None]
GapListener = Callable[[], None]


class Bus(Protocol):
    """The bus as one worker process uses it.

    Delivery is at most once: a subscriber misses what is published while its connection is broken.
    Messages of one publisher on one channel arrive in order. Handlers run on the event loop, one after the
    other, and must not block. Their exceptions are logged and go no further.
    """

    worker: str
    # One ending for each of several servers: it puts a channel on that server, whatever the hash of its name.
    # With one server, the empty ending alone.
    lanes: Sequence[str]

    def lane(self, channel: str) -> str:
        """The one of `lanes` whose server has `channel`; another one while that server is away."""

    @property
    def ready(self) -> bool:
        """Whether this worker is connected to every server and all its subscriptions are confirmed."""

    @property
    def connected(self) -> bool:
        """Whether that holds for at least one of the servers."""

    def publish(self, channel: str, payload: bytes, receipt: Receipt | None = None) -> None:
        """Sends `payload`, in one write with everything else that this turn of the event loop publishes.

        `receipt` is called once, with the number of subscribers that Redis reached. It gets None when that
        is unknown: not connected, connection lost, or the outgoing buffer is full (the message is dropped).
        """

    async def subscribe(self, channels: Iterable[str], handler: Handler) -> None:
        """Like `subscribe_each`, with one handler for all channels."""

    async def subscribe_each(self, handlers: Mapping[str, Handler]) -> None:
        """Returns when every channel is confirmed. A channel has one handler, the latest.

        Raises AppError(unavailable) when Redis doesn't confirm in time. The bus keeps the subscription and
        makes it as soon as the connection is back. With several servers, it doesn't wait for those that are
        known to be away while another one is there: they come back with a gap, as for older subscriptions.
        """

    def unsubscribe(self, channels: Iterable[str]) -> None:
        """Ends the subscriptions. Messages that are already under way may or may not be handled."""

    def on_gap(self, listener: GapListener) -> None:
        """Calls `listener` after each gap, once all subscriptions are confirmed again."""

    async def start(self) -> None:
        """Returns when the bus is ready. After a deadline, one of several servers is enough.

        Raises SettingsError with the reason if there is none.
        """

    async def stop(self) -> None:
        """Writes pending messages, then disconnects."""
