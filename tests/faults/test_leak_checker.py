"""Tests the judge: whoever is told what isn't theirs is found, and nobody who is told what is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.faults.record.events import ReceivedEvent
from tests.faults.record.history import REST, Absence
from tests.faults.test_checker import CAME, GUEST, LEFT, ROOM, SOCKET, Log, message, replayed


@pytest.fixture
def log() -> Log:
    return Log()


def test_what_a_stranger_saw_is_leaked(log: Log) -> None:
    log.put(9, 0, log.views(1)[0])
    assert log.found() == {("leaked", 9)}


def test_events_while_the_user_was_out_are_leaked_live(log: Log) -> None:
    log.history.absences = [Absence(GUEST, ROOM, LEFT, CAME + 2)]
    assert ("leaked", GUEST) in log.found()


@pytest.mark.parametrize("event", [ReceivedEvent(ROOM, "history", 6), replayed(4)])
def test_messages_sent_while_the_user_was_out_are_leaked_by_any_way(log: Log, event: ReceivedEvent) -> None:
    log.put(GUEST, 0, replace(event, message=message(4)), SOCKET if event.replay else REST)
    assert ("leaked", GUEST) in log.found()


@pytest.mark.parametrize(("pos", "is_leak"), [(LEFT + 1, True), (10, False)])
def test_changes_of_such_messages_are_leaked_only_while_the_user_is_out(
    log: Log, pos: int, is_leak: bool
) -> None:
    event = ReceivedEvent(ROOM, "message.edited", pos, message=message(4)._replace(pos=pos, version=2))
    log.put(GUEST, len(log.views(GUEST)), event)
    assert (("leaked", GUEST) in log.found()) == is_leak


@pytest.mark.parametrize(("pos", "is_leak"), [(LEFT + 1, True), (10, False)])
def test_they_are_leaked_in_a_replay_only_if_they_happened_while_the_user_was_out(
    log: Log, pos: int, is_leak: bool
) -> None:
    event = ReceivedEvent(ROOM, "message.edited", pos, message=message(4)._replace(pos=pos, version=2))
    log.put(GUEST, 0, replace(event, replay=True))
    assert (("leaked", GUEST) in log.found()) == is_leak
