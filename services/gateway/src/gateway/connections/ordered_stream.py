"""Puts one conversation's durable events in the order of `pos`, and keeps the last ones. Pure logic, no I/O.

Events reach a gateway twice, late, out of order or not at all. `offer` and `fill` return each event once, in
the order of `pos`. A hole holds back all events after it until `fill` fills it. The last events stay in a
ring, so that a client that was away for a moment can be brought up to date without a request to chat-api.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from messenger_shared.contract.events import PARTICIPANT_ADDED, Event

MAX_HELD: Final = 1_000
MAX_RING_EVENTS: Final = 512
MAX_RING_BYTES: Final = 64 * 1024 * 1024


class OrderedStream:
    """The events of one conversation. All are held until `begin` sets the position to start from."""

    __slots__ = ("_held", "_ring", "_ring_start", "_target", "last_pos", "ring_bytes")

    def __init__(self) -> None:
        self.last_pos = -1
        # The bytes of the frames in the ring.
        self.ring_bytes = 0
        self._target = 0
        self._held: dict[int, Event] = {}
        # The ring: all events above `_ring_start` that were released. None until the first, because most
        # conversations of a worker never need it.
        self._ring: deque[Event] | None = None
        self._ring_start = -1

    @property
    def has_begun(self) -> bool:
        """Whether the position to start from is known."""
        return self.last_pos >= 0

    @property
    def has_hole(self) -> bool:
        """Whether a hole is known."""
        return self.has_begun and self._target > self.last_pos

    def begin(self, pos: int) -> list[Event]:
        """Starts after `pos`; returns the held events that are ready now. Without effect once begun."""
        if self.has_begun:
            return []
        self.last_pos = pos
        return self._add_to_ring(self._release())

    def offer(self, event: Event) -> list[Event]:
        """Takes an event; returns the events that are ready now, in order. Drops one that was seen."""
        if event.pos <= self.last_pos:
            return []
        self._target = max(self._target, event.pos)
        if self.has_begun and event.pos == self.last_pos + 1:
            self.last_pos = event.pos
            return self._add_to_ring([event, *self._release()] if self._held else [event])
        # At the bound the event is dropped. It is below the target, so it is fetched later.
        if len(self._held) < MAX_HELD:
            self._held[event.pos] = event
        return []

    def expect(self, pos: int) -> None:
        """Notes that the conversation has events up to `pos` at least."""
        self._target = max(self._target, pos)

    def give_up_hole(self) -> None:
        """Accepts that nothing exists above `last_pos`: drops held events and expectations."""
        self._target = self.last_pos
        self._held.clear()

    def fill(self, events: Iterable[Event], upto: int) -> list[Event]:
        """Takes all changes up to `upto`, each thing in its latest state; returns the events ready now."""
        ready = [event for event in events if event.pos > self.last_pos]
        # A PARTICIPANT_ADDED event for several users lacks those of them who have changed since.
        is_complete = len(ready) >= upto - self.last_pos and all(e.type != PARTICIPANT_ADDED for e in ready)
        self.last_pos = max(self.last_pos, upto)
        if is_complete:
            self._add_to_ring(ready)
        else:
            # Some things changed more than once. A client in the middle of that span needs other events.
            self.clear_ring()
        return ready + self._add_to_ring(self._release())

    def released_above(self, pos: int) -> list[Event] | None:
        """The released events above `pos`, in order; None if the ring doesn't have all of them."""
        if not self.has_begun or pos > self.last_pos:
            return None
        if pos == self.last_pos:
            return []
        if self._ring is None or pos < self._ring_start:
            return None
        return [event for event in self._ring if event.pos > pos]

    def clear_ring(self) -> None:
        """Empties the ring."""
        self._ring, self.ring_bytes = None, 0

    def _add_to_ring(self, events: list[Event]) -> list[Event]:
        if not events:
            return events
        if self._ring is None:
            self._ring, self._ring_start = deque(), events[0].pos - 1
        self._ring += events
        self.ring_bytes += sum([len(event.frame) for event in events])
        while len(self._ring) > MAX_RING_EVENTS:
            oldest = self._ring.popleft()
            self._ring_start = oldest.pos
            self.ring_bytes -= len(oldest.frame)
        return events

    def _release(self) -> list[Event]:
        self._held = {pos: event for pos, event in self._held.items() if pos > self.last_pos}
        ready: list[Event] = []
        while (event := self._held.pop(self.last_pos + 1, None)) is not None:
            self.last_pos = event.pos
            ready.append(event)
        return ready


class RingBudget:
    """Bounds the bytes of all rings of a worker. The least recently used ring is emptied first."""

    def __init__(self, max_bytes: int = MAX_RING_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._sizes: dict[OrderedStream, int] = {}

    def touch(self, stream: OrderedStream) -> None:
        """Notes that the stream released events."""
        self.drop(stream)
        self._sizes[stream] = stream.ring_bytes
        self._bytes += stream.ring_bytes
        while self._bytes > self._max_bytes:
            oldest = next(iter(self._sizes))
            oldest.clear_ring()
            self.drop(oldest)

    def drop(self, stream: OrderedStream) -> None:
        """Stops counting the stream."""
        self._bytes -= self._sizes.pop(stream, 0)
