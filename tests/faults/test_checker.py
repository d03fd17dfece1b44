"""The judge is judged: a clean run passes, and each kind of violation that is planted is found."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from tests.faults.checker import Violation, check
from tests.faults.history import ARCHIVE, Entry, History, Key, Kind

ROOM, OTHER = "room", "other"
MEMBERS = {ROOM: (1, 2, 3, ARCHIVE), OTHER: (1, ARCHIVE)}
SENDS = 6


def message(number: int, room: str = ROOM) -> dict[str, object]:
    """The stored message with this seq."""
    return {
        "id": f"{room}-{number}",
        "conversation_id": room,
        "seq": number,
        "pos": number + 1,
        "sender_id": 1 + number % 2 if room == ROOM else 1,
        "client_message_id": f"k{number}",
        "content": f"text {number}",
    }


def key_of(number: int) -> Key:
    """The key of the message with this seq in ROOM."""
    return Key(1 + number % 2, f"k{number}")


def clean() -> list[Entry]:
    """A run in which all is well, with a send that had to be repeated, one refused, one never answered."""
    ticks = count()
    history = History(lambda: float(next(ticks)))
    for number in range(1, SENDS + 1):
        history.invoked(ROOM, key_of(number), f"text {number}")
        history.unknown(ROOM, key_of(number))
        if number < SENDS:
            history.acked(ROOM, key_of(number), message(number))
        for member in MEMBERS[ROOM]:
            history.delivered(member, message(number))
    history.invoked(ROOM, Key(1, "refused"), "")
    history.failed(ROOM, Key(1, "refused"))
    history.invoked(ROOM, Key(1, "never stored"), "x")
    history.unknown(ROOM, Key(1, "never stored"))
    history.invoked(OTHER, Key(1, "k1"), "text 1")
    for member in MEMBERS[OTHER]:
        history.delivered(member, message(1, OTHER))
    return history.entries


def place(entries: list[Entry], kind: Kind, member: int, number: int) -> int:
    """Where the entry is that tells this of the message with this seq in ROOM."""
    wanted = (kind, member, ROOM, key_of(number))
    return next(i for i, e in enumerate(entries) if (e.kind, e.member, e.conversation, e.key) == wanted)


def kinds(entries: list[Entry]) -> set[tuple[str, int]]:
    """What the checker finds, of whom."""
    return {(violation.kind, violation.member) for violation in check(entries, MEMBERS)}


def test_a_clean_run_has_no_violation() -> None:
    assert check(clean(), MEMBERS) == []


def test_an_acked_message_that_a_member_never_saw_is_lost() -> None:
    entries = clean()
    del entries[place(entries, Kind.DELIVERED, 2, SENDS)]
    assert check(entries, MEMBERS) == [Violation("lost", 2, ROOM, str(key_of(SENDS)))]


def test_an_acked_message_that_nobody_saw_is_lost_for_all() -> None:
    entries = [e for e in clean() if not (e.kind is Kind.DELIVERED and e.key == key_of(SENDS - 1))]
    entries = [e for e in entries if e.key != key_of(SENDS)]
    assert kinds(entries) == {("lost", member) for member in MEMBERS[ROOM]}


def test_an_unanswered_message_that_one_saw_is_lost_for_who_did_not() -> None:
    entries = clean()
    del entries[place(entries, Kind.DELIVERED, ARCHIVE, SENDS)]
    assert kinds(entries) == {("lost", ARCHIVE)}


def test_a_message_seen_twice_is_doubled() -> None:
    entries = clean()
    where = place(entries, Kind.DELIVERED, 3, 4)
    entries.insert(where, entries[where])
    assert kinds(entries) == {("doubled", 3)}


def test_a_send_stored_twice_is_doubled() -> None:
    entries = clean()
    for member in MEMBERS[ROOM]:
        where = place(entries, Kind.DELIVERED, member, 4)
        stored = entries[where].stored
        assert stored is not None
        again = stored._replace(id="another", seq=SENDS + 1, pos=SENDS + 2)
        entries.append(replace(entries[where], stored=again))
    assert {kind for kind, _ in kinds(entries)} == {"doubled", "altered"}


def test_two_messages_seen_the_wrong_way_round_are_reordered() -> None:
    entries = clean()
    one, two = place(entries, Kind.DELIVERED, 2, 3), place(entries, Kind.DELIVERED, 2, 4)
    entries[one], entries[two] = entries[two], entries[one]
    assert kinds(entries) == {("reordered", 2)}


def test_a_number_below_an_earlier_ones_is_overtaken() -> None:
    entries = clean()
    asked = place(entries, Kind.INVOKE, key_of(2).sender_id, 2)
    late = entries[place(entries, Kind.OK, key_of(3).sender_id, 3)].at
    entries[asked] = replace(entries[asked], at=late + 0.5)
    assert kinds(entries) == {("overtaken", key_of(2).sender_id)}


def test_a_number_that_never_came_is_a_hole_and_lost() -> None:
    entries = clean()
    del entries[place(entries, Kind.DELIVERED, 3, 2)]
    assert kinds(entries) == {("hole", 3), ("lost", 3)}


def test_a_number_that_was_never_given_is_a_hole_for_all() -> None:
    entries = [e for e in clean() if e.conversation != ROOM or e.key != key_of(2)]
    assert kinds(entries) == {("hole", member) for member in MEMBERS[ROOM]}


@pytest.mark.parametrize("kind", [Kind.INVOKE, Kind.FAIL])
def test_what_nobody_sent_or_what_was_refused_is_a_phantom(kind: Kind) -> None:
    entries = clean()
    if kind is Kind.INVOKE:
        del entries[place(entries, Kind.INVOKE, key_of(SENDS).sender_id, SENDS)]
    else:
        where = place(entries, Kind.UNKNOWN, key_of(SENDS).sender_id, SENDS)
        entries[where] = replace(entries[where], kind=Kind.FAIL)
    assert kinds(entries) == {("phantom", member) for member in MEMBERS[ROOM]}


def test_a_message_in_another_conversation_is_a_phantom_there() -> None:
    entries = clean()
    where = place(entries, Kind.DELIVERED, 1, 1)
    stored = entries[where].stored
    assert stored is not None
    moved = replace(entries[where], conversation=OTHER, stored=stored._replace(seq=2, pos=3))
    assert ("phantom", 1) in kinds([*entries, moved])


@pytest.mark.parametrize("field", ["id", "content", "pos", "seq"])
def test_a_message_that_is_not_the_same_for_all_is_altered(field: str) -> None:
    entries = clean()
    where = place(entries, Kind.DELIVERED, 2, SENDS)
    stored = entries[where].stored
    assert stored is not None
    other = stored._replace(**{field: getattr(stored, field) * 2})
    entries[where] = replace(entries[where], stored=other)
    assert ("altered", 2) in kinds(entries)


def test_an_ack_that_is_not_what_was_stored_is_altered() -> None:
    entries = clean()
    where = place(entries, Kind.OK, key_of(3).sender_id, 3)
    stored = entries[where].stored
    assert stored is not None
    entries[where] = replace(entries[where], stored=stored._replace(id="another"))
    assert {kind for kind, _ in kinds(entries)} == {"altered"}


def test_text_changed_for_everybody_is_altered() -> None:
    entries = [
        replace(e, stored=e.stored._replace(content="changed")) if e.stored and e.key == key_of(3) else e
        for e in clean()
    ]
    assert ("altered", ARCHIVE) in kinds(entries)


def test_one_number_for_two_messages_is_altered() -> None:
    entries = clean()
    for index, entry in enumerate(entries):
        if entry.stored and entry.key == key_of(SENDS):
            entries[index] = replace(entry, stored=entry.stored._replace(seq=SENDS - 1))
    assert {kind for kind, _ in kinds(entries)} == {"altered"}


def test_what_a_stranger_saw_is_leaked() -> None:
    entries = clean()
    entries.append(replace(entries[place(entries, Kind.DELIVERED, 1, 1)], member=9))
    assert kinds(entries) == {("leaked", 9)}
