"""Owns telling the world: each transition is an event on online:status and on its user's own channel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from messenger_shared import channels, events
from messenger_shared.bus import Bus
from messenger_shared.clock import to_text
from messenger_shared.events import Event
from presence.ports import Transition

EVENTS_PER_MESSAGE: Final = 100


class Broadcast:
    """Publishes transitions."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def tell(self, transitions: Sequence[Transition]) -> None:
        """Publishes `transitions`; those of one user keep their order."""
        told = [_event(transition) for transition in transitions]
        for start in range(0, len(told), EVENTS_PER_MESSAGE):
            self._bus.publish(channels.ONLINE_STATUS, events.pack(told[start : start + EVENTS_PER_MESSAGE]))
        for event in told:
            self._bus.publish(channels.presence(event.user_id), events.pack([event]))


def _event(transition: Transition) -> Event:
    type_ = events.USER_ONLINE if transition.online else events.USER_OFFLINE
    fields = {"user_id": transition.user_id, "timestamp": _text(transition.at_ms)}
    if not transition.online:
        fields["last_seen_at"] = _text(transition.seen_ms)
    return Event(type_, "", 0, transition.user_id, events.encode_frame(type_, **fields))


def _text(at_ms: int) -> str:
    return to_text(datetime.fromtimestamp(at_ms / 1000, UTC))
