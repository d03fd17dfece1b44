"""Publishes transitions on the bus: each on its user's channel, all on presence:all and on online:status."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from messenger_shared.bus import channels
from messenger_shared.bus.interface import Bus
from messenger_shared.contract import events, presence_states
from messenger_shared.contract.presence_states import OFFLINE, TYPES, Change, fields_of, moment
from presence.ports import Transition

USERS_PER_MESSAGE: Final = 100


class Broadcast:
    """A TransitionPublisher on the bus. It uses online:status only with `publish_online_status`."""

    def __init__(self, bus: Bus, *, publish_online_status: bool) -> None:
        self._bus = bus
        self._publish_online_status = publish_online_status

    def publish(self, transitions: Sequence[Transition]) -> None:
        """Publishes `transitions`. Those of one user keep their order."""
        for start in range(0, len(transitions), USERS_PER_MESSAGE):
            some = transitions[start : start + USERS_PER_MESSAGE]
            if self._publish_online_status:
                self._bus.publish(channels.ONLINE_STATUS, _frame(some))
            changes = [_change(transition, _shown_seen_ms(transition)) for transition in some]
            self._bus.publish(channels.PRESENCE_ALL, presence_states.pack(changes))
            for change in changes:
                self._publish_change(change)

    def republish(self, transition: Transition) -> None:
        """Publishes how the user is seen, on the user's channel only."""
        self._publish_change(_change(transition, None))

    def request_reports(self) -> None:
        """Asks all gateways for a report."""
        self._bus.publish(channels.REPORTS, b"")

    def _publish_change(self, change: Change) -> None:
        self._bus.publish(channels.presence(change.user_id), presence_states.pack([change]))


def _change(transition: Transition, seen_ms: int | None) -> Change:
    version, user_id, status, at_ms, _, hides = transition
    return Change(version, user_id, status, at_ms, seen_ms, hides)


def _frame(transitions: Sequence[Transition]) -> bytes:
    """The frame that a client subscribed to all these users would get."""
    if len(transitions) > 1:
        return events.encode_frame(events.PRESENCE_BATCH, users=[_row(t) for t in transitions])
    [one] = transitions
    fields = fields_of(one.user_id, one.at_ms, _shown_seen_ms(one))
    return events.encode_frame(TYPES[one.status], **fields)


def _row(transition: Transition) -> dict[str, Any]:
    seen = moment(_shown_seen_ms(transition))
    return {"user_id": transition.user_id, "status": transition.status, "last_seen_at": seen}


def _shown_seen_ms(transition: Transition) -> int | None:
    shows_seen = transition.status == OFFLINE and not transition.hides
    return transition.seen_ms if shows_seen else None
