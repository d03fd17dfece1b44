"""Owns the judgement of a run: pure, from the log and the tables alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.faults.database import Tables
from tests.faults.history import ARCHIVE, History
from tests.faults.run import Run, Violation
from tests.faults.told import Key, Stored
from tests.faults.views import VIEW_CHECKS


def check(history: History, tables: Tables) -> list[Violation]:
    """All broken promises."""
    run = Run(history, tables)
    found = [violation for checks in STORE_CHECKS for violation in checks(run)]
    for view in run.views():
        for checks in VIEW_CHECKS:
            found += checks(run, view)
    return found


def unstored(run: Run) -> Iterator[Violation]:
    """Acked and not in the tables, or not as it was acked: a message, an edit, a deletion."""
    stored = {message.id: message for messages in run.tables.messages.values() for message in messages}
    for key, first in run.acked().items():
        if first.id not in stored:
            yield Violation("lost", ARCHIVE, run.history.sends[key].room, f"acked and not stored: {key}")
    for change in run.history.changes:
        message = stored.get(change.message_id)
        if not change.acked or message is None or message.content in (None, change.content):
            continue
        if change.content is None:
            yield Violation("lost", ARCHIVE, change.room, f"the deletion of {message.key}")
        elif change.content not in run.tables.versions.get(message.id, ()):
            yield Violation("lost", ARCHIVE, change.room, f"an edit of {message.key}")


def stored_twice(run: Run) -> Iterator[Violation]:
    """One send that became two messages."""
    for room, messages in run.tables.messages.items():
        for key, times in Counter(message.key for message in messages).items():
            if times > 1:
                yield Violation("doubled", ARCHIVE, room, f"{key} is stored {times} times")
    ids: dict[Key, set[str]] = defaultdict(set)
    for seat, room, state in run.states():
        ids[state.key].add(state.id)
        if len(ids[state.key]) > 1:
            yield Violation("doubled", seat, room, f"{state.key} is more than one message")
            ids[state.key] = {state.id}


def overtaken(run: Run) -> Iterator[Violation]:
    """Numbered before a message that was acked before this one was even asked for."""
    by_room: dict[str, list[tuple[int, float, float, Key]]] = defaultdict(list)
    for key, send in run.history.sends.items():
        if send.acks:
            first = send.acks[0]
            by_room[send.room].append((first.stored.seq, send.at, first.at, key))
    for room, rows in by_room.items():
        earliest = float("inf")
        for seq, asked_at, acked_at, key in sorted(rows, reverse=True):
            if asked_at > earliest:
                yield Violation("overtaken", (key.sender_id, 0), room, f"{key} at {seq}")
            earliest = min(earliest, acked_at)


def lane_left(run: Run) -> Iterator[Violation]:
    """Sent later than another through the same socket, and numbered before it, though neither was retried."""
    lanes = defaultdict(list)
    for key, send in run.history.sends.items():
        if send.lane is not None and len(send.acks) == 1 and not send.unknown:
            seat, socket, number = send.lane
            lanes[seat, socket, send.room].append((number, send.acks[0].stored.seq, key))
    for (seat, _, room), rows in lanes.items():
        last = 0
        for _, seq, key in sorted(rows):
            if seq < last:
                yield Violation("overtaken", seat, room, f"{key} by what was sent later")
            last = max(seq, last)


def numbers(run: Run) -> Iterator[Violation]:
    """A number that was never given, or given though nothing took it."""
    for room, messages in run.tables.messages.items():
        if room not in run.tables.heads:
            yield Violation("lost", ARCHIVE, room, "the conversation itself")
            continue
        last_seq, last_pos = run.tables.heads[room]
        seqs = [message.seq for message in messages]
        if seqs != list(range(1, last_seq + 1)):
            missing = sorted(set(range(1, last_seq + 1)) - set(seqs))
            yield Violation("hole", ARCHIVE, room, f"seq {missing[:10]} of {last_seq}")
        moves = sum(
            1 + (absence.to_pos is not None) for absence in run.history.absences if absence.room == room
        )
        taken = 1 + moves + sum(message.changes for message in messages)
        if taken != last_pos:
            yield Violation("hole", ARCHIVE, room, f"{taken} changes, but pos is {last_pos}")


def phantoms(run: Run) -> Iterator[Violation]:
    """Told, but never asked for in this conversation, or refused for good."""
    seen = set()
    for seat, room, state in run.states():
        send = run.history.sends.get(state.key)
        if (room, state.key) not in seen and (send is None or send.room != room or send.failed):
            seen.add((room, state.key))
            yield Violation("phantom", seat, room, str(state.key))


def altered(run: Run) -> Iterator[Violation]:
    """Not what was asked for, or not the same for everybody; or a number given twice."""
    states: dict[tuple[str, int], Stored] = {}
    by_seq: dict[tuple[str, int], str] = {}
    by_pos: dict[tuple[str, int], str] = {}
    for seat, room, state in run.states():
        if not _is_wanted(run, state):
            yield Violation("altered", seat, room, f"{state} was never asked for")
        if states.setdefault((state.id, state.changes), state) != state:
            yield Violation("altered", seat, room, f"{state} and {states[state.id, state.changes]}")
        for numbered, number in ((by_seq, state.seq), (by_pos, state.pos)):
            if numbered.setdefault((room, number), state.id) != state.id:
                yield Violation("altered", seat, room, f"{state}: its number is that of another message")


def _is_wanted(run: Run, state: Stored) -> bool:
    if state.version > 1 or state.content is None:
        return state.content in run.wanted[state.id]
    send = run.history.sends.get(state.key)
    # Who asked for nothing is a phantom.
    return send is None or send.content == state.content


def refused(run: Run) -> Iterator[Violation]:
    """Somebody was told what no client that keeps to the protocol should be."""
    for user_id, what in run.history.refusals:
        yield Violation("refused", (user_id, 0), "", what)


STORE_CHECKS = (unstored, stored_twice, overtaken, lane_left, numbers, phantoms, altered, refused)
