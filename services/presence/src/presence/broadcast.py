"""Owns telling the world: each transition on its user's own channel, and all of them on online:status."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from messenger_shared import channels, events, presences
from messenger_shared.bus import Bus
from messenger_shared.presences import AWAY, OFFLINE, ONLINE, Change, moment
from presence.ports import Transition

USERS_PER_MESSAGE: Final = 100
_TYPES: Final = {
    ONLINE: events.USER_ONLINE,
    AWAY: events.USER_AWAY,
    OFFLINE: events.USER_OFFLINE,
}


class Broadcast:
    """A Voice on the bus; `to_operators` says whether online:status is fed at all."""

    def __init__(self, bus: Bus, *, to_operators: bool) -> None:
        self._bus = bus
        self._to_operators = to_operators

    def tell(self, transitions: Sequence[Transition]) -> None:
        """Publishes `transitions`; those of one user keep their order."""
        if self._to_operators:
            for start in range(0, len(transitions), USERS_PER_MESSAGE):
                frame = _frame(transitions[start : start + USERS_PER_MESSAGE])
                self._bus.publish(channels.ONLINE_STATUS, frame)
        for transition in transitions:
            self._publish(transition, _seen(transition))

    def repeat(self, transition: Transition) -> None:
        """Publishes how the user is seen, to those who watch him."""
        self._publish(transition, None)

    def ask_reports(self) -> None:
        """Asks all gateways."""
        self._bus.publish(channels.REPORTS, b"")

    def _publish(self, transition: Transition, seen_ms: int | None) -> None:
        version, user_id, status, at_ms, _, hides = transition
        change = Change(version, user_id, status, at_ms, seen_ms, hides)
        self._bus.publish(channels.presence(user_id), presences.pack([change]))


def _frame(transitions: Sequence[Transition]) -> bytes:
    """What a client would get who watches all of them."""
    if len(transitions) > 1:
        return events.encode_frame(events.PRESENCE_BATCH, users=[_row(t) for t in transitions])
    [one] = transitions
    fields: dict[str, Any] = {"user_id": one.user_id, "timestamp": moment(one.at_ms)}
    if (seen_ms := _seen(one)) is not None:
        fields["last_seen_at"] = moment(seen_ms)
    return events.encode_frame(_TYPES[one.status], **fields)


def _row(transition: Transition) -> dict[str, Any]:
    seen = moment(_seen(transition))
    return {"user_id": transition.user_id, "status": transition.status, "last_seen_at": seen}


def _seen(transition: Transition) -> int | None:
    is_told = transition.status == OFFLINE and not transition.hides
    return transition.seen_ms if is_told else None
