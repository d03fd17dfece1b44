"""Owns the order of one conversation's durable events on this worker: pure logic, no I/O.

Events reach a gateway doubled, late, in another order or not at all. What `offer` and `cover` return is each
event once, in the order of `pos`; what is missing holds back what follows, until `cover` brings it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from messenger_shared.events import Event

MAX_HELD: Final = 1_000


class Stream:
    """One conversation. Until `begin` says where it stands, everything is held."""

    __slots__ = ("_held", "_target", "last_pos")

    def __init__(self) -> None:
        self.last_pos = -1
        self._target = 0
        self._held: dict[int, Event] = {}

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
        return self._release()

    def offer(self, event: Event) -> list[Event]:
        """Takes an event from the bus; returns what may go out now, in order."""
        if event.pos <= self.last_pos:
            return []
        self._target = max(self._target, event.pos)
        if self.began and event.pos == self.last_pos + 1:
            self.last_pos = event.pos
            return [event, *self._release()] if self._held else [event]
        # At the bound the event is let go: it stays below the target and is fetched later.
        if len(self._held) < MAX_HELD:
            self._held[event.pos] = event
        return []

    def expect(self, pos: int) -> None:
        """The conversation stands at `pos` at least."""
        self._target = max(self._target, pos)

    def cover(self, events: Iterable[Event], upto: int) -> list[Event]:
        """Takes all that changed up to `upto`, each thing in its latest state; what may go out now."""
        ready = [event for event in events if event.pos > self.last_pos]
        self.last_pos = max(self.last_pos, upto)
        return ready + self._release()

    def _release(self) -> list[Event]:
        self._held = {pos: event for pos, event in self._held.items() if pos > self.last_pos}
        ready: list[Event] = []
        while (event := self._held.pop(self.last_pos + 1, None)) is not None:
            self.last_pos = event.pos
            ready.append(event)
        return ready
