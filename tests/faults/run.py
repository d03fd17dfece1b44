"""Owns a finished run as the checker sees it: the log, the tables as they are at the end, what follows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from tests.faults.database import Tables
from tests.faults.history import ARCHIVE, Absence, History, Seat, View
from tests.faults.told import Key, Stored, Told


class Violation(NamedTuple):
    """One broken promise. `seat` is whose view shows it, the archive's where all is stored so."""

    kind: str
    seat: Seat
    room: str
    what: str


class Run:
    """What the checks ask of a run."""

    def __init__(self, history: History, tables: Tables) -> None:
        self.history = history
        self.tables = tables
        self.absences: dict[tuple[str, int], list[Absence]] = defaultdict(list)
        for absence in history.absences:
            self.absences[absence.room, absence.user_id].append(absence)
        # Message -> what its author wanted to make of it; None is a deletion.
        self.wanted: dict[str, set[str | None]] = defaultdict(set)
        for change in history.changes:
            self.wanted[change.message_id].add(change.content)
        self.told = self._distinct()

    def views(self) -> Iterator[View]:
        """Every device's of every conversation, the empty ones of members too."""
        for room, members in self.history.members.items():
            seats = {seat for seat, where in self.history.views if where == room}
            silent = set(members) - {user_id for user_id, _ in seats}
            for seat in sorted(seats | {(user_id, 0) for user_id in silent} | {ARCHIVE}):
                yield self.history.view(seat, room)

    def states(self) -> Iterator[tuple[Seat, str, Stored]]:
        """Every state of a message that anybody was ever told, once, with one of those who were."""
        for seat, told in self.told:
            if told.message is not None:
                yield seat, told.room, told.message
        for send in self.history.sends.values():
            for ack in send.acks:
                yield (send.key.sender_id, 0), send.room, ack.stored
        for room, messages in self.tables.messages.items():
            for message in messages:
                yield ARCHIVE, room, message

    def may_see(self, user_id: int, room: str, seq: int) -> bool:
        """Whether the message was said while he was in."""
        unseen = self.tables.unseen.get((room, user_id), ())
        return not any(start < seq <= end for start, end in unseen)

    def was_in(self, user_id: int, room: str, pos: int) -> bool:
        """Whether he was in when this happened; his own going and coming count as in."""
        return not any(
            absence.from_pos < pos and (absence.to_pos is None or pos < absence.to_pos)
            for absence in self.absences.get((room, user_id), ())
        )

    def acked(self) -> dict[Key, Stored]:
        """What each sender was told first."""
        return {key: send.acks[0].stored for key, send in self.history.sends.items() if send.acks}

    def _distinct(self) -> list[tuple[Seat, Told]]:
        found: dict[int, tuple[Seat, Told]] = {}
        for view in self.history.views.values():
            for told in view.told:
                # By identity: what many are told is one object, and comparing would cost more than it saves.
                found.setdefault(id(told), (view.seat, told))
        return list(found.values())
