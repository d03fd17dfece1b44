"""Tests the judge of searches: a clean run passes, and what searches miss or find wrongly is found."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.judge.searches import searched
from tests.faults.record.database import Tables
from tests.faults.record.events import Key, Stored
from tests.faults.record.history import Absence, Ack, Change, History, Hit, Search, Send
from tests.faults.record.run import Run

ROOM, OTHER = "room", "other"
ONE, TWO, STRANGER = 1, 2, 3
FIRST, SECOND = "0.111", "0.222"


class Log:
    """User 1's message is acknowledged at 2, edited at 4 to 6, and found by user 2 at 3 and at 7."""

    def __init__(self) -> None:
        self.history, self.tables = History(), Tables.of([ROOM, OTHER])
        self.history.members |= {ROOM: [ONE, TWO], OTHER: [STRANGER]}
        self.stored = Stored("m", 1, 3, 2, Key(ONE, "k"), f"edit 2 {SECOND}", ())
        self.tables.messages[ROOM].append(self.stored)
        self.send = Send(self.stored.key, ROOM, f"1 {FIRST}", 1.0)
        self.send.acks.append(Ack(2.0, self.stored))
        self.history.sends[self.send.key] = self.send
        self.change = Change("m", ROOM, f"edit 2 {SECOND}", acked=True, at=4.0, acked_at=6.0)
        self.history.changes.append(self.change)
        self.search(TWO, FIRST, 3.0, found=True)
        self.search(TWO, SECOND, 7.0, found=True)
        self.search(TWO, FIRST, 7.0, found=False)
        self.search(STRANGER, SECOND, 7.0, found=False)

    def search(self, user_id: int, word: str, at: float, *, found: bool) -> None:
        """Adds a search that takes half a second."""
        hits = (Hit(ROOM, "m", f"a text with {word}"),) if found else ()
        self.history.searches.append(Search(user_id, word, at, at + 0.5, hits))

    def found(self) -> list[str]:
        """Returns the kinds of what the judge finds."""
        return [violation.kind for violation in searched(Run(self.history, self.tables))]


def test_a_clean_run_has_no_violation() -> None:
    assert Log().found() == []


@pytest.mark.parametrize(
    ("kinds", "spoil"),
    [
        (["unfound"], lambda log: log.search(ONE, FIRST, 2.1, found=False)),
        (["unfound"], lambda log: log.search(TWO, SECOND, 6.1, found=False)),
        (["stale"], lambda log: log.search(TWO, FIRST, 6.1, found=True)),
        (["leaked"], lambda log: log.search(STRANGER, SECOND, 8.0, found=True)),
        (["altered"], lambda log: log.search(TWO, "0.333", 8.0, found=True) or _forget_the_word(log)),
    ],
    ids=["not at once", "not after an edit", "a former text", "somebody else's", "another text"],
)
def test_what_is_wrong_is_found(kinds: list[str], spoil: Callable[[Log], None]) -> None:
    log = Log()
    spoil(log)
    assert log.found() == kinds


def _forget_the_word(log: Log) -> None:
    search = log.history.searches.pop()
    log.history.searches.append(search._replace(hits=(Hit(ROOM, "m", "something else"),)))


@pytest.mark.parametrize(
    "happen",
    [
        lambda log: log.search(ONE, FIRST, 1.5, found=False),
        lambda log: log.search(ONE, FIRST, 4.5, found=False),
        lambda log: log.search(ONE, FIRST, 3.8, found=False),
        lambda log: log.search(ONE, FIRST, 5.5, found=True),
        lambda log: log.search(ONE, SECOND, 5.5, found=False),
        lambda log: log.search(ONE, SECOND, 5.5, found=True),
    ],
    ids=["not acked", "being edited", "edited meanwhile", "old still", "new not yet", "new already"],
)
def test_what_is_under_way_may_be_found_or_not(happen: Callable[[Log], None]) -> None:
    log = Log()
    happen(log)
    assert log.found() == []


def test_what_is_deleted_is_not_found() -> None:
    log = Log()
    log.history.changes.append(Change("m", ROOM, None, acked=True, at=9.0, acked_at=10.0))
    log.search(TWO, SECOND, 11.0, found=False)
    assert log.found() == []
    log.search(TWO, SECOND, 11.0, found=True)
    assert log.found() == ["stale"]


def test_who_was_out_need_not_find_it_and_may_not_if_it_was_sent_meanwhile() -> None:
    log = Log()
    log.history.absences.append(Absence(TWO, ROOM, 1, None))
    log.history.searches.clear()
    log.search(TWO, SECOND, 7.0, found=False)
    assert log.found() == []
    log.tables.unseen[ROOM, TWO] = [(0, 5)]
    log.search(TWO, SECOND, 7.0, found=True)
    assert log.found() == ["leaked"]
