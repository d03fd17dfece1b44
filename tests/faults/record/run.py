"""A finished run as the checker sees it: the log, the tables at the end, and what follows from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from tests.faults.record.database import Tables
from tests.faults.record.events import Key, ReceivedEvent, Stored
from tests.faults.record.history import ARCHIVE, Absence, Annotation, DeviceId, DeviceView, History

# (message, user, emoji); without an emoji it is a pin.
AnnotationKey = tuple[str, int, str | None]


class Violation(NamedTuple):
    """One broken promise. `device_id` is the device whose view shows it, or ARCHIVE if it is stored so."""

    kind: str
    device_id: DeviceId
    room: str
    what: str


class Run:
    """Answers the questions of the checks."""

    def __init__(self, history: History, tables: Tables) -> None:
        self.history = history
        self.tables = tables
        self.absences: dict[tuple[str, int], list[Absence]] = defaultdict(list)
        for absence in history.absences:
            self.absences[absence.room, absence.user_id].append(absence)
        # Message -> the contents that its author asked for; None is a deletion.
        self.wanted: dict[str, set[str | None]] = defaultdict(set)
        for change in history.changes:
            self.wanted[change.message_id].add(change.content)
        self.annotations: dict[AnnotationKey, list[Annotation]] = defaultdict(list)
        for one in history.annotations:
            self.annotations[one.message_id, one.user_id, one.emoji].append(one)
        self.events = self._distinct()

    def views(self) -> Iterator[DeviceView]:
        """Yields the views of all devices of all conversations; a member who got nothing has an empty
        one.
        """
        for room, members in self.history.members.items():
            device_ids = {device_id for device_id, where in self.history.views if where == room}
            silent = set(members) - {user_id for user_id, _ in device_ids}
            for device_id in sorted(device_ids | {(user_id, 0) for user_id in silent} | {ARCHIVE}):
                yield self.history.view(device_id, room)

    def states(self) -> Iterator[tuple[DeviceId, str, Stored]]:
        """Yields every distinct state of a message that anybody got, each with one device that got it."""
        for device_id, event in self.events:
            if event.message is not None:
                yield device_id, event.room, event.message
        for send in self.history.sends.values():
            for ack in send.acks:
                yield (send.key.sender_id, 0), send.room, ack.stored
        for room, messages in self.tables.messages.items():
            for message in messages:
                yield ARCHIVE, room, message

    def may_see(self, user_id: int, room: str, seq: int) -> bool:
        """Whether the message was sent while the user was a member."""
        return self.tables.may_see(user_id, room, seq)

    def was_in(self, user_id: int, room: str, pos: int) -> bool:
        """Whether the user was a member at this position; their own removal and return count as inside."""
        return not any(
            absence.from_pos < pos and (absence.to_pos is None or pos < absence.to_pos)
            for absence in self.absences.get((room, user_id), ())
        )

    def acked(self) -> dict[Key, Stored]:
        """Returns the first ack of each send."""
        return {key: send.acks[0].stored for key, send in self.history.sends.items() if send.acks}

    def _distinct(self) -> list[tuple[DeviceId, ReceivedEvent]]:
        found: dict[int, tuple[DeviceId, ReceivedEvent]] = {}
        for view in self.history.views.values():
            for event in view.events:
                # By identity: all devices share one object, and a comparison would cost more than it saves.
                found.setdefault(id(event), (view.device_id, event))
        return list(found.values())
