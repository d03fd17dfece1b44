"""Owns what a client that comes back is sent: the latest state of each thing that changed. Pure logic."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Final

import orjson

from messenger_shared.events import (
    MESSAGE_DELETED,
    MESSAGE_EDITED,
    MESSAGE_NEW,
    PARTICIPANT_ADDED,
    PARTICIPANT_REMOVED,
    PARTICIPANT_UPDATED,
    Event,
    encode_frame,
)

_OF_MESSAGES: Final = frozenset((MESSAGE_NEW, MESSAGE_EDITED, MESSAGE_DELETED))
_OF_MEMBERS: Final = frozenset((PARTICIPANT_ADDED, PARTICIPANT_REMOVED, PARTICIPANT_UPDATED))
# (how it began, how it stands) -> what it is to somebody who saw neither.
_MERGED: Final = {
    (MESSAGE_NEW, MESSAGE_EDITED): MESSAGE_NEW,
    (PARTICIPANT_ADDED, PARTICIPANT_UPDATED): PARTICIPANT_ADDED,
}


def latest(events: Sequence[Event]) -> list[Event]:
    """Each changed thing once, by its last event; what is new since the first of them is told as new."""
    if all(event.type == MESSAGE_NEW for event in events):
        return list(events)
    began: dict[Hashable, str] = {}
    last: dict[Hashable, Event] = {}
    for event in events:
        thing = _thing(event)
        # Who left and came back within the time is, to who saw neither, somebody who came.
        if thing not in began or event.type == PARTICIPANT_ADDED:
            began[thing] = event.type
        last[thing] = event
    merged = [_as(event, _MERGED.get((began[thing], event.type))) for thing, event in last.items()]
    return sorted(merged, key=lambda event: event.pos)


def marked(events: Iterable[Event]) -> list[bytes]:
    """Their frames, marked as replayed."""
    return [b'{"replay":true,' + event.frame[1:] for event in events]


def _thing(event: Event) -> Hashable:
    if event.type in _OF_MESSAGES:
        return str(orjson.loads(event.frame)["data"]["id"])
    if event.type in _OF_MEMBERS:
        return event.user_id
    return event.type


def _as(event: Event, type_: str | None) -> Event:
    if type_ is None:
        return event
    fields = orjson.loads(event.frame)
    del fields["type"]
    fields.pop("message_id", None)
    return event._replace(type=type_, frame=encode_frame(type_, **fields))
