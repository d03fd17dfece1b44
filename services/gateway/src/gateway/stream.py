"""Owns the order of one conversation's durable events on this worker: pure logic, no I/O.

Events reach a gateway doubled, late, in another order or not at all. What `offer` and `cover` return is each
event once, in the order of `pos`; what is missing holds back what follows, until `cover` brings it. The last
ones stay here, so that a client that was away for a moment costs no question to anybody.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from messenger_shared.events import Event

MAX_HELD: Final = 1_000
MAX_KEPT: Final = 512
MAX_KEPT_BYTES: Final = 64 * 1024 * 1024


class Stream:
    """One conversation. Until `begin` says where it stands, everything is held."""

    __slots__ = ("_floor", "_held", "_kept", "_target", "kept_bytes", "last_pos")

    def __init__(self) -> None:
        self.last_pos = -1
        # Of the frames that are kept.
        self.kept_bytes = 0
        self._target = 0
        self._held: dict[int, Event] = {}
        # Everything above `_floor` that went out; most conversations of a worker never need it.
        self._kept: deque[Event] | None = None
        self._floor = -1

    @property
    def began(self) -> bool:
        """Whether it is known where the conversation stands."""
        return self.last_pos >= 0

    @property
    def incomplete(self) -> bool:
        """Whether something is known to be missing."""
        return self.began and self._target > self.last_pos

    def begin(self, pos: int) -> list[Event]:
        """Everything up to `pos` is no concern of this worker's sockets; what may go out now."""
        if self.began:
            return []
        self.last_pos = pos
        return self._keep(self._release())

    def offer(self, event: Event) -> list[Event]:
        """Takes an event from the bus; returns what may go out now, in order."""
        if event.pos <= self.last_pos:
            return []
        self._target = max(self._target, event.pos)
        if self.began and event.pos == self.last_pos + 1:
            self.last_pos = event.pos
            return self._keep([event, *self._release()] if self._held else [event])
        # At the bound the event is let go: it stays below the target and is fetched later.
        if len(self._held) < MAX_HELD:
            self._held[event.pos] = event
        return []

    def expect(self, pos: int) -> None:
        """The conversation stands at `pos` at least."""
        self._target = max(self._target, pos)

    def disbelieve(self) -> None:
        """There is nothing above the last one, whoever said so; what is held for that place goes too."""
        self._target = self.last_pos
        self._held.clear()

    def cover(self, events: Iterable[Event], upto: int) -> list[Event]:
        """Takes all that changed up to `upto`, each thing in its latest state; what may go out now."""
        ready = [event for event in events if event.pos > self.last_pos]
        whole = len(ready) >= upto - self.last_pos
        self.last_pos = max(self.last_pos, upto)
        if whole:
            self._keep(ready)
        else:
            # Some things changed twice: to whoever stands between, their latest state is another event.
            self.forget()
        return ready + self._keep(self._release())

    def since(self, pos: int) -> list[Event] | None:
        """What went out above `pos`, in order; None when that isn't known here any more, or not yet."""
        if not self.began or pos > self.last_pos:
            return None
        if pos == self.last_pos:
            return []
        if self._kept is None or pos < self._floor:
            return None
        return [event for event in self._kept if event.pos > pos]

    def forget(self) -> None:
        """Keeps nothing of what went out so far."""
        self._kept, self.kept_bytes = None, 0

    def _keep(self, events: list[Event]) -> list[Event]:
        if not events:
            return events
        if self._kept is None:
            self._kept, self._floor = deque(), events[0].pos - 1
        self._kept += events
        self.kept_bytes += sum([len(event.frame) for event in events])
        while len(self._kept) > MAX_KEPT:
            oldest = self._kept.popleft()
            self._floor = oldest.pos
            self.kept_bytes -= len(oldest.frame)
        return events

    def _release(self) -> list[Event]:
        self._held = {pos: event for pos, event in self._held.items() if pos > self.last_pos}
        ready: list[Event] = []
        while (event := self._held.pop(self.last_pos + 1, None)) is not None:
            self.last_pos = event.pos
            ready.append(event)
        return ready


class Memory:
    """Bounds what all streams of a worker keep together: the least recently used one forgets first."""

    def __init__(self, max_bytes: int = MAX_KEPT_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._sizes: dict[Stream, int] = {}

    def used(self, stream: Stream) -> None:
        """Something went through the stream."""
        self.drop(stream)
        self._sizes[stream] = stream.kept_bytes
        self._bytes += stream.kept_bytes
        while self._bytes > self._max_bytes:
            oldest = next(iter(self._sizes))
            oldest.forget()
            self.drop(oldest)

    def drop(self, stream: Stream) -> None:
        """The stream is no longer followed."""
        self._bytes -= self._sizes.pop(stream, 0)
