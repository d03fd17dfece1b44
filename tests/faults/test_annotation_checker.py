"""Tests the judge of reactions, pins and mentions: a clean run passes, and what is planted is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.faults.judge.checker import check
from tests.faults.record.database import Tables
from tests.faults.record.events import PINS, REACTIONS, Key, Reactions, ReceivedEvent, Stored
from tests.faults.record.history import REST, Absence, Annotation, History

ROOM = "room"
SOCKET = 1
ONE, TWO = 1, 2
COUNTS = Reactions("m", (("👍", 1, (TWO,)),))


class Log:
    """User 1 sends a message that mentions user 2, who reacts at pos 3. User 1 pins it at pos 4."""

    def __init__(self) -> None:
        self.history, self.tables = History(), Tables.of([ROOM])
        self.history.members[ROOM] = [ONE, TWO]
        message = Stored("m", 1, 2, 1, Key(ONE, "k"), "text", (TWO,))
        self.history.stored(self.history.invoked(message.key, ROOM, "text", (TWO,)), message)
        self.history.annotations = [
            Annotation("m", ROOM, TWO, "👍", on=True, acked=True),
            Annotation("m", ROOM, ONE, None, on=True, acked=True),
        ]
        self.tables.messages[ROOM].append(message)
        self.tables.positions[ROOM] = (1, 4)
        self.tables.reactions.append(("m", TWO, "👍"))
        self.tables.reaction_heads[ROOM].append((3, COUNTS))
        self.tables.pins[ROOM].append("m")
        self.tables.pin_positions[ROOM] = 4
        for user_id in (ONE, TWO):
            self.put(user_id, ReceivedEvent(ROOM, "message.new", 2, message=message))
            self.put(user_id, ReceivedEvent(ROOM, REACTIONS, 3, reactions=COUNTS, changes=1))
            self.put(user_id, ReceivedEvent(ROOM, PINS, 4, pins=("m",)))
        self.put(0, ReceivedEvent(ROOM, "history", 2, message=message, reactions=COUNTS), REST)
        self.put(0, ReceivedEvent(ROOM, "history", 0, pins=("m",)), REST)

    def put(self, user_id: int, event: ReceivedEvent, socket: int = SOCKET) -> None:
        """Adds an event to the user's view."""
        self.history.view((user_id, 0), ROOM).add(0.0, socket, event)

    def change(self, user_id: int, index: int, **fields: object) -> None:
        """Changes an event of the user's view."""
        events = self.history.view((user_id, 0), ROOM).events
        events[index] = replace(events[index], **fields)  # type: ignore[arg-type]

    def found(self) -> set[tuple[str, int]]:
        """Returns what the checker finds, with the user concerned."""
        return {(violation.kind, violation.device_id[0]) for violation in check(self.history, self.tables)}


def test_a_clean_run_has_no_violation() -> None:
    assert Log().found() == set()


def _row_gone(log: Log) -> None:
    log.tables.reactions.clear()


def _pin_gone(log: Log) -> None:
    log.tables.pins[ROOM].clear()


def _removed(log: Log) -> None:
    log.history.annotations.append(Annotation("m", ROOM, TWO, "👍", on=False, acked=True))


def _row_twice(log: Log) -> None:
    log.tables.reactions.append(log.tables.reactions[0])


def _counted_twice(log: Log) -> None:
    log.tables.reaction_heads[ROOM][0] = (3, Reactions("m", (("👍", 2, (TWO, TWO)),)))


def _nobodys(log: Log) -> None:
    log.tables.reactions.append(("m", ONE, "👍"))


def _pos_too_many(log: Log) -> None:
    log.tables.positions[ROOM] = (1, 5)


def _other_counts(log: Log) -> None:
    log.change(ONE, 1, reactions=Reactions("m", ()))


def _earlier_pins(log: Log) -> None:
    log.change(ONE, 2, pins=())


def _told_when_out(log: Log) -> None:
    log.history.absences.append(Absence(ONE, ROOM, 2, None))


def _mentions_nobody(log: Log) -> None:
    log.tables.messages[ROOM][0] = log.tables.messages[ROOM][0]._replace(mentions=())


def _mentions_another(log: Log) -> None:
    log.history.sends[Key(ONE, "k")].mentions = ()


@pytest.mark.parametrize(
    ("spoil", "kind", "user_id"),
    [
        (_row_gone, "lost", 0),
        (_pin_gone, "lost", 0),
        (_removed, "lost", 0),
        (_row_twice, "doubled", 0),
        (_counted_twice, "doubled", 0),
        (_nobodys, "phantom", 0),
        (_pos_too_many, "hole", 0),
        (_other_counts, "stale", ONE),
        (_earlier_pins, "stale", ONE),
        (_told_when_out, "leaked", ONE),
        (_mentions_nobody, "lost", 0),
        (_mentions_another, "phantom", 0),
    ],
)
def test_what_is_spoiled_is_found(spoil: Callable[[Log], None], kind: str, user_id: int) -> None:
    log = Log()
    spoil(log)
    assert (kind, user_id) in log.found()


def test_a_removal_without_a_certain_answer_may_have_happened_or_not() -> None:
    log = Log()
    log.history.annotations.append(Annotation("m", ROOM, TWO, "👍", on=False))
    assert log.found() == set()
