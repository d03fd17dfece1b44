"""Tests the judge: a clean run passes, and each kind of violation that is planted in a log is found."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.judge.checker import check
from tests.faults.record.database import Tables
from tests.faults.record.events import ADDED, REMOVED, Key, ReceivedEvent, Stored
from tests.faults.record.history import ARCHIVE, REST, Absence, Change, CommandPosition, History

ROOM = "room"
USERS = (1, 2, 3)
GUEST = 3
# The positions of messages 1 to 6. GUEST is out from 5 to 7, and so may not see message 4.
POSITIONS = (2, 3, 4, 6, 8, 9)
LEFT, CAME = 5, 7
SENDS = len(POSITIONS)
SOCKET = 1


def key_of(seq: int) -> Key:
    return Key(1 + seq % 2, f"k{seq}")


def message(seq: int) -> Stored:
    """Returns the message as it was sent."""
    return Stored(f"id-{seq}", seq, POSITIONS[seq - 1], 1, key_of(seq), f"text {seq}")


class Log:
    """The log of a run without faults, to be spoiled: message 2 was edited at 10, message 3 deleted at 11."""

    def __init__(self) -> None:
        self.history = History()
        self.history.members[ROOM] = list(USERS)
        for seq in range(1, SENDS + 1):
            send = self.history.invoked(key_of(seq), ROOM, f"text {seq}")
            self.history.stored(send, message(seq))
        self.history.changes = [
            Change("id-2", ROOM, "edited", acked=True),
            Change("id-3", ROOM, None, acked=True),
        ]
        self.history.absences = [Absence(GUEST, ROOM, LEFT, CAME)]
        self.edited = message(2)._replace(pos=10, version=2, content="edited")
        self.deleted = message(3)._replace(pos=11, content=None)
        final = {2: self.edited, 3: self.deleted}
        rows = [final.get(seq, message(seq)) for seq in range(1, SENDS + 1)]
        self.tables = Tables.of([ROOM])
        self.tables.messages[ROOM] = rows
        self.tables.positions[ROOM] = (SENDS, 11)
        self.tables.unseen[ROOM, GUEST] = [(3, 4)]
        self.tables.member_positions[ROOM] = {1, CAME}
        self.tables.versions["id-2"] = {"text 2"}
        for user_id in USERS:
            was_out = range(LEFT + 1, CAME if user_id == GUEST else 0)
            self.views(user_id).extend(event for event in self._events() if event.pos not in was_out)
        self.views(0).extend(ReceivedEvent(ROOM, "history", row.pos, message=row) for row in rows)
        for view in self.history.views.values():
            view.at.extend([0.0] * len(view.events))
            view.sockets.extend([REST if view.device_id == ARCHIVE else SOCKET] * len(view.events))

    def views(self, user_id: int) -> list[ReceivedEvent]:
        """Returns what the user's one device received."""
        return self.history.view((user_id, 0), ROOM).events

    def place(self, user_id: int, pos: int) -> int:
        """Returns the index of the event with this position."""
        return next(index for index, event in enumerate(self.views(user_id)) if event.pos == pos)

    def drop(self, user_id: int, pos: int) -> None:
        """Removes an event from the user's view."""
        index = self.place(user_id, pos)
        view = self.history.view((user_id, 0), ROOM)
        for column in (view.events, view.at, view.sockets):
            del column[index]

    def put(self, user_id: int, index: int, event: ReceivedEvent, socket: int = SOCKET) -> None:
        """Inserts an event into the user's view."""
        view = self.history.view((user_id, 0), ROOM)
        view.events.insert(index, event)
        view.at.insert(index, 0.0)
        view.sockets.insert(index, socket)

    def found(self) -> set[tuple[str, int]]:
        """Returns what the checker finds, with the user concerned."""
        return {(violation.kind, violation.device_id[0]) for violation in check(self.history, self.tables)}

    def _events(self) -> list[ReceivedEvent]:
        sent = {message(seq).pos: message(seq) for seq in range(1, SENDS + 1)}
        event = [ReceivedEvent(ROOM, "message.new", pos, message=stored) for pos, stored in sent.items()]
        event.append(ReceivedEvent(ROOM, REMOVED, LEFT, user_id=GUEST))
        event.append(ReceivedEvent(ROOM, ADDED, CAME, user_id=GUEST))
        event.append(ReceivedEvent(ROOM, "message.edited", 10, message=self.edited))
        event.append(ReceivedEvent(ROOM, "message.deleted", 11, message=self.deleted))
        return sorted(event, key=lambda one: one.pos)


@pytest.fixture
def log() -> Log:
    return Log()


def test_a_clean_run_has_no_violation(log: Log) -> None:
    assert log.found() == set()


def test_an_acked_message_that_is_not_stored_is_lost(log: Log) -> None:
    log.history.stored(log.history.invoked(Key(1, "gone"), ROOM, "x"), message(1)._replace(id="gone"))
    assert ("lost", 0) in log.found()


def test_a_message_that_a_device_never_saw_is_lost_and_leaves_a_hole(log: Log) -> None:
    log.drop(2, message(4).pos)
    assert log.found() == {("lost", 2), ("hole", 2)}


def test_a_device_that_never_was_there_has_lost_all(log: Log) -> None:
    del log.history.views[(2, 0), ROOM]
    assert log.found() == {("lost", 2)}


def test_what_history_doesnt_show_is_lost(log: Log) -> None:
    log.drop(0, message(6).pos)
    assert log.found() == {("lost", 0)}


@pytest.mark.parametrize("pos", [10, 11])
def test_a_change_that_a_device_never_saw_leaves_it_stale(log: Log, pos: int) -> None:
    log.drop(1, pos)
    assert ("stale", 1) in log.found()


def test_an_acked_edit_that_is_nowhere_is_lost(log: Log) -> None:
    log.history.changes.append(Change("id-4", ROOM, "never", acked=True))
    assert log.found() == {("lost", 0)}


def test_an_acked_deletion_that_is_not_stored_is_lost(log: Log) -> None:
    log.history.changes.append(Change("id-4", ROOM, None, acked=True))
    assert log.found() == {("lost", 0)}


def test_an_edit_that_was_overwritten_is_not_lost(log: Log) -> None:
    log.history.changes.append(Change("id-2", ROOM, "in between", acked=True))
    log.tables.versions["id-2"].add("in between")
    assert log.found() == set()


def test_one_send_that_is_two_messages_is_doubled(log: Log) -> None:
    again = message(6)._replace(id="again", seq=7, pos=12)
    log.tables.messages[ROOM].append(again)
    log.tables.positions[ROOM] = (7, 12)
    assert ("doubled", 0) in log.found()


def test_acks_of_two_messages_for_one_send_are_doubled(log: Log) -> None:
    log.history.stored(log.history.sends[key_of(4)], message(4)._replace(id="other"))
    assert "doubled" in {kind for kind, _ in log.found()}


def test_what_comes_live_twice_on_one_socket_is_doubled(log: Log) -> None:
    index = log.place(2, 3)
    log.put(2, index, log.views(2)[index])
    assert log.found() == {("doubled", 2)}


def test_what_comes_live_on_two_sockets_is_not(log: Log) -> None:
    log.put(2, len(log.views(2)), log.views(2)[0], SOCKET + 1)
    assert log.found() == set()


def test_two_live_ones_the_wrong_way_round_are_reordered(log: Log) -> None:
    event = log.views(1)
    one, two = log.place(1, 8), log.place(1, 9)
    event[one], event[two] = event[two], event[one]
    assert ("reordered", 1) in log.found()


def replayed(seq: int) -> ReceivedEvent:
    return ReceivedEvent(ROOM, "message.new", message(seq).pos, True, message=message(seq))


@pytest.mark.parametrize(
    ("asked", "events", "kind"),
    [
        (1, [replayed(1), replayed(2)], None),
        (3, [replayed(2)], "doubled"),
        (1, [replayed(2), replayed(1)], "reordered"),
        (
            1,
            [replayed(1), ReceivedEvent(ROOM, "message.new", 9, message=message(6)), replayed(2)],
            "reordered",
        ),
    ],
)
def test_a_replay_is_above_what_was_asked_and_in_one_piece(
    log: Log, asked: int, events: list[ReceivedEvent], kind: str | None
) -> None:
    view = log.history.view((1, 0), ROOM)
    view.requests.append((len(view.events), SOCKET + 1, asked))
    for one in events:
        log.put(1, len(view.events), one, SOCKET + 1)
    assert log.found() == ({(kind, 1)} if kind else set())


def test_what_was_held_back_for_a_replay_is_no_hole(log: Log) -> None:
    view = log.history.view((1, 0), ROOM)
    view.requests.append((0, SOCKET, 1))
    view.answered(SOCKET, 8)
    log.drop(1, 6)
    log.put(1, 0, ReceivedEvent(ROOM, "history", 6, message=message(4)), REST)
    assert log.found() == set()


def test_a_number_below_an_earlier_ones_is_overtaken(log: Log) -> None:
    log.history.sends[key_of(2)].at = log.history.sends[key_of(4)].acks[0].at + 1
    assert log.found() == {("overtaken", key_of(2).sender_id)}


def test_what_was_sent_later_through_one_socket_has_the_higher_number(log: Log) -> None:
    for number, seq in enumerate((5, 3), 1):
        log.history.sends[key_of(seq)].position = CommandPosition((2, 0), SOCKET, number)
    assert log.found() == {("overtaken", 2)}


@pytest.mark.parametrize("positions", [(SENDS + 1, 11), (SENDS, 12)])
def test_a_number_that_nothing_has_is_a_hole(log: Log, positions: tuple[int, int]) -> None:
    log.tables.positions[ROOM] = positions
    assert log.found() == {("hole", 0)}


def unasked(log: Log) -> None:
    del log.history.sends[key_of(6)]


def refused(log: Log) -> None:
    send = log.history.sends[key_of(6)]
    send.acks.clear()
    send.failed = True


def elsewhere(log: Log) -> None:
    log.history.sends[key_of(6)].room = "other"


@pytest.mark.parametrize("spoil", [unasked, refused, elsewhere])
def test_what_nobody_sent_there_or_what_was_refused_is_a_phantom(
    log: Log, spoil: Callable[[Log], None]
) -> None:
    spoil(log)
    assert "phantom" in {kind for kind, _ in log.found()}


@pytest.mark.parametrize("field", ["id", "content", "pos", "seq"])
def test_a_message_that_is_not_the_same_for_all_is_altered(log: Log, field: str) -> None:
    index = log.place(2, message(6).pos)
    event = log.views(2)[index]
    assert event.message is not None
    other = event.message._replace(**{field: getattr(event.message, field) * 2})
    log.views(2)[index] = ReceivedEvent(ROOM, event.type, event.pos, message=other)
    assert {kind for kind, _ in log.found()} & {"altered", "doubled"}


def test_text_changed_for_everybody_is_altered(log: Log) -> None:
    log.history.sends[key_of(5)].content = "what was meant"
    assert {kind for kind, _ in log.found()} == {"altered"}


def test_one_number_for_two_messages_is_altered(log: Log) -> None:
    rows = log.tables.messages[ROOM]
    rows[5] = rows[5]._replace(seq=5)
    assert "altered" in {kind for kind, _ in log.found()}


def test_what_no_client_should_be_told_is_refused(log: Log) -> None:
    log.history.refused(2, "internal")
    assert log.found() == {("refused", 2)}
