"""Decides which frames a replay consists of: the latest state of each changed thing. Pure logic."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

import orjson

from messenger_shared.contract.events import (
    MESSAGE_DELETED,
    MESSAGE_EDITED,
    MESSAGE_FILES,
    MESSAGE_NEW,
    MESSAGE_REACTIONS,
    PARTICIPANT_ADDED,
    PARTICIPANT_REMOVED,
    PARTICIPANT_UPDATED,
    Event,
    encode_frame,
    joined,
    joined_event,
)

_MESSAGE_TYPES: Final = frozenset((MESSAGE_NEW, MESSAGE_EDITED, MESSAGE_DELETED))
_MEMBER_TYPES: Final = frozenset((PARTICIPANT_ADDED, PARTICIPANT_REMOVED, PARTICIPANT_UPDATED))
# Each of these tells everything of its kind about one message.
_OF_A_MESSAGE: Final = frozenset((MESSAGE_REACTIONS, MESSAGE_FILES))
# (type of the first event, type of the last) -> type of the one event for a client that saw neither.
_MERGED: Final = {
    (MESSAGE_NEW, MESSAGE_EDITED): MESSAGE_NEW,
    (PARTICIPANT_ADDED, PARTICIPANT_UPDATED): PARTICIPANT_ADDED,
}


def latest_states(events: Sequence[Event]) -> list[Event]:
    """One event per changed thing, its last one. A thing that is new in `events` stays new.

    A message that was sent and then edited becomes one MESSAGE_NEW with the edited text.
    """
    if all(event.type == MESSAGE_NEW for event in events):
        return list(events)
    first_types: dict[Hashable, str] = {}
    last: dict[Hashable, Event] = {}
    for event in _split_additions(events):
        thing = _changed_thing(event)
        # A user who left and came back within `events` counts as added.
        if thing not in first_types or event.type == PARTICIPANT_ADDED:
            first_types[thing] = event.type
        last[thing] = event
    merged = [
        _with_type(event, _MERGED.get((first_types[thing], event.type))) for thing, event in last.items()
    ]
    return _join_additions(sorted(merged, key=lambda event: event.pos))


def replay_frames(events: Iterable[Event]) -> list[bytes]:
    """The frames of `events`, with `"replay": true`."""
    return [b'{"replay":true,' + _lasting(event)[1:] for event in events]


def _lasting(event: Event) -> bytes:
    """The event's frame without what only live frames have: the latest changes of the reactions."""
    if event.type != MESSAGE_REACTIONS:
        return event.frame
    fields = orjson.loads(event.frame)
    fields.pop("changes", None)
    return orjson.dumps(fields)


def _split_additions(events: Iterable[Event]) -> Iterator[Event]:
    """Splits an event that added several users into one per user, as some may have left since."""
    for event in events:
        if event.type == PARTICIPANT_ADDED:
            for user_id, role in joined(event).items():
                yield joined_event(event.conversation_id, event.pos, {user_id: role})
        else:
            yield event


def _join_additions(events: Iterable[Event]) -> list[Event]:
    """The inverse of `_split_additions`: joins the added users of one pos. `events` are sorted by pos."""
    found: list[Event] = []
    for pos, group in groupby(events, key=lambda event: event.pos):
        same = list(group)
        if len(same) > 1:
            roles = {user_id: role for event in same for user_id, role in joined(event).items()}
            same = [joined_event(same[0].conversation_id, pos, roles)]
        found += same
    return found


def _changed_thing(event: Event) -> Hashable:
    if event.type in _MESSAGE_TYPES:
        return str(orjson.loads(event.frame)["data"]["id"])
    if event.type in _MEMBER_TYPES:
        return event.user_id
    if event.type in _OF_A_MESSAGE:
        return event.type, str(orjson.loads(event.frame)["message_id"])
    return event.type


def _with_type(event: Event, type_: str | None) -> Event:
    if type_ is None:
        return event
    fields = orjson.loads(event.frame)
    if type_ == PARTICIPANT_ADDED:
        return joined_event(event.conversation_id, event.pos, {event.user_id: fields["role"]})
    del fields["type"]
    fields.pop("message_id", None)
    return event._replace(type=type_, frame=encode_frame(type_, **fields))
