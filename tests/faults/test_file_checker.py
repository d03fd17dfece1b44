"""Tests the judge of files: a clean run passes, and what is planted in a log is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.faults.judge.checker import check
from tests.faults.record.database import FileState, Tables
from tests.faults.record.events import FILES, HISTORY, Attached, Key, ReceivedEvent, Stored
from tests.faults.record.history import REST, Absence, Change, History, Upload

ROOM = "room"
SOCKET = 1
ONE, TWO = 1, 2


def attached(state: str, message_id: str = "m", file_id: str = "f") -> Attached:
    row = {"file_id": file_id, "name": "a.png", "size": 5, "mime": "image/png", "kind": "image"}
    return Attached.of(message_id, [{**row, "state": state}])


class Log:
    """User 1 sends a pending picture at pos 2, which is ready at pos 3."""

    def __init__(self) -> None:
        self.history, self.tables = History(), Tables.of([ROOM])
        self.history.members[ROOM] = [ONE, TWO]
        self.history.uploads["f"] = Upload("f", ONE, "-", is_picture=True, acked=True)
        self.message = Stored("m", 1, 2, 1, Key(ONE, "k"), "text")
        send = self.history.invoked(self.message.key, ROOM, "text", file_id="f")
        self.history.stored(send, self.message)
        self.tables.messages[ROOM].append(self.message)
        self.tables.positions[ROOM] = (1, 3)
        self.tables.attached[ROOM].append(attached("ready"))
        self.tables.file_positions[ROOM].add(3)
        self.tables.files["f"] = FileState("ready", 5, "image/png", "image")
        for user_id in (ONE, TWO):
            new = ReceivedEvent(ROOM, "message.new", 2, message=self.message, attached=attached("pending"))
            self.put(user_id, new)
            self.put(user_id, ReceivedEvent(ROOM, FILES, 3, attached=attached("ready")))
        read = ReceivedEvent(ROOM, HISTORY, 2, message=self.message, attached=attached("ready"))
        self.put(0, read, REST)

    def put(self, user_id: int, event: ReceivedEvent, socket: int = SOCKET) -> None:
        """Adds an event to the user's view."""
        self.history.view((user_id, 0), ROOM).add(0.0, socket, event)

    def change(self, user_id: int, index: int, **fields: object) -> None:
        """Changes an event of the user's view."""
        events = self.history.view((user_id, 0), ROOM).events
        events[index] = replace(events[index], **fields)  # type: ignore[arg-type]

    def forget(self, user_id: int, index: int) -> None:
        """Removes an event from the user's view."""
        view = self.history.view((user_id, 0), ROOM)
        for column in (view.events, view.at, view.sockets):
            del column[index]

    def delete(self, pos: int) -> None:
        """The message is deleted at this pos, and nobody is told of its file before."""
        deleted = self.message._replace(content=None, pos=pos)
        self.history.changes.append(Change("m", ROOM, None, acked=True))
        self.tables.messages[ROOM] = [deleted]
        self.tables.positions[ROOM] = (1, pos)
        self.tables.attached[ROOM].clear()
        self.tables.file_positions[ROOM].clear()
        for user_id in (ONE, TWO, 0):
            events = self.history.view((user_id, 0), ROOM).events
            events[-1] = ReceivedEvent(ROOM, "message.deleted", pos, message=deleted)

    def found(self) -> set[tuple[str, int]]:
        """Returns what the checker finds, with the user concerned."""
        return {(violation.kind, violation.device_id[0]) for violation in check(self.history, self.tables)}


def test_a_clean_run_has_no_violation() -> None:
    assert Log().found() == set()


def _file_gone(log: Log) -> None:
    log.tables.files.clear()


def _link_gone(log: Log) -> None:
    log.tables.attached[ROOM].clear()


def _nobodys(log: Log) -> None:
    log.history.sends[log.message.key].file_id = None


def _old_in_the_message(log: Log) -> None:
    log.tables.attached[ROOM] = [attached("pending")]


def _pos_too_many(log: Log) -> None:
    log.tables.positions[ROOM] = (1, 4)


def _another_file(log: Log) -> None:
    log.change(ONE, 0, attached=attached("pending", file_id="g"))


def _old_state(log: Log) -> None:
    log.change(ONE, 1, attached=attached("pending"))


def _never_told(log: Log) -> None:
    log.change(ONE, 0, attached=None)
    log.change(ONE, 1, attached=attached("ready", "another"))


def _pos_of_another(log: Log) -> None:
    log.change(ONE, 1, pos=2)


def _told_when_out(log: Log) -> None:
    log.history.absences.append(Absence(ONE, ROOM, 2, None))


@pytest.mark.parametrize(
    ("spoil", "kind", "user_id"),
    [
        (_file_gone, "lost", 0),
        (_link_gone, "lost", 0),
        (_nobodys, "phantom", 0),
        (_old_in_the_message, "stale", 0),
        (_pos_too_many, "hole", 0),
        (_another_file, "altered", ONE),
        (_old_state, "stale", ONE),
        (_never_told, "lost", ONE),
        (_pos_of_another, "altered", ONE),
        (_told_when_out, "leaked", ONE),
    ],
)
def test_what_is_spoiled_is_found(spoil: Callable[[Log], None], kind: str, user_id: int) -> None:
    log = Log()
    spoil(log)
    assert (kind, user_id) in log.found()


def test_a_later_reading_of_history_counts_as_much_as_the_last_event() -> None:
    log = Log()
    log.forget(ONE, 1)
    assert log.found() == {("stale", ONE)}
    log.put(ONE, ReceivedEvent(ROOM, HISTORY, 2, message=log.message, attached=attached("ready")), REST)
    assert log.found() == set()


@pytest.mark.parametrize(("pos", "kinds"), [(3, set()), (4, set()), (5, {("hole", 0)})])
def test_a_file_of_a_deleted_message_may_have_taken_a_pos_of_which_nobody_was_told(
    pos: int, kinds: set[tuple[str, int]]
) -> None:
    log = Log()
    log.delete(pos)
    assert log.found() == kinds
