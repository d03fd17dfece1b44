"""Judges a run. Pure: it reads only the log and the tables."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.faults.judge.annotations import (
    annotations_told,
    miscounted,
    positions_shared,
    positions_taken,
    unstored_annotations,
)
from tests.faults.judge.files import altered_files, file_positions_taken, files_told, unstored_files
from tests.faults.judge.mentions import mentions
from tests.faults.judge.searches import searched
from tests.faults.judge.views import VIEW_CHECKS
from tests.faults.record.database import Tables
from tests.faults.record.events import Key, Stored
from tests.faults.record.history import ARCHIVE, History
from tests.faults.record.run import Run, Violation


def check(history: History, tables: Tables) -> list[Violation]:
    """Returns all broken promises."""
    run = Run(history, tables)
    found = [violation for checks in STORE_CHECKS for violation in checks(run)]
    for view in run.views():
        for checks in (*VIEW_CHECKS, annotations_told, files_told):
            found += checks(run, view)
    return found


def unstored(run: Run) -> Iterator[Violation]:
    """Finds messages, edits and deletions that were acked, but are not in the tables as acked."""
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
    """Finds a send that became two messages."""
    for room, messages in run.tables.messages.items():
        for key, times in Counter(message.key for message in messages).items():
            if times > 1:
                yield Violation("doubled", ARCHIVE, room, f"{key} is stored {times} times")
    ids: dict[Key, set[str]] = defaultdict(set)
    for device_id, room, state in run.states():
        ids[state.key].add(state.id)
        if len(ids[state.key]) > 1:
            yield Violation("doubled", device_id, room, f"{state.key} is more than one message")
            ids[state.key] = {state.id}


def overtaken(run: Run) -> Iterator[Violation]:
    """Finds a message with a lower number than one that was acked before this one was first sent."""
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


def out_of_order(run: Run) -> Iterator[Violation]:
    """Finds a message with a lower number than an earlier one of the same socket, neither of them retried."""
    by_socket = defaultdict(list)
    for key, send in run.history.sends.items():
        if send.position is not None and len(send.acks) == 1 and not send.unknown:
            device_id, socket, number = send.position
            by_socket[device_id, socket, send.room].append((number, send.acks[0].stored.seq, key))
    for (device_id, _, room), rows in by_socket.items():
        last = 0
        for _, seq, key in sorted(rows):
            if seq < last:
                yield Violation("overtaken", device_id, room, f"{key} by what was sent later")
            last = max(seq, last)


def numbers(run: Run) -> Iterator[Violation]:
    """Finds a number that was never given, and one that was given though nothing took it."""
    for room, messages in run.tables.messages.items():
        if room not in run.tables.positions:
            yield Violation("lost", ARCHIVE, room, "the conversation itself")
            continue
        last_seq, last_pos = run.tables.positions[room]
        seqs = [message.seq for message in messages]
        if seqs != list(range(1, last_seq + 1)):
            missing = sorted(set(range(1, last_seq + 1)) - set(seqs))
            yield Violation("hole", ARCHIVE, room, f"seq {missing[:10]} of {last_seq}")
        absences = [absence for absence in run.history.absences if absence.room == room]
        # Users who are added together share a pos.
        catch_up_times = {absence.to_pos for absence in absences} - {None}
        taken = 1 + len(absences) + len(catch_up_times) + sum(message.changes for message in messages)
        (least, most), (least_files, most_files) = positions_taken(run, room), file_positions_taken(run, room)
        if not taken + least + least_files <= last_pos <= taken + most + most_files:
            what = (
                f"{taken} changes, {least} to {most} of reactions and pins, {least_files} to {most_files} of"
                f" files, but pos is {last_pos}"
            )
            yield Violation("hole", ARCHIVE, room, what)


def phantoms(run: Run) -> Iterator[Violation]:
    """Finds what was delivered, but never requested in this conversation, or refused for good."""
    seen = set()
    for device_id, room, state in run.states():
        send = run.history.sends.get(state.key)
        if (room, state.key) not in seen and (send is None or send.room != room or send.failed):
            seen.add((room, state.key))
            yield Violation("phantom", device_id, room, str(state.key))


def altered(run: Run) -> Iterator[Violation]:
    """Finds content that differs from the request or between users, and a number that was given twice."""
    states: dict[tuple[str, int], Stored] = {}
    by_seq: dict[tuple[str, int], str] = {}
    by_pos: dict[tuple[str, int], str] = {}
    for device_id, room, state in run.states():
        if not _is_wanted(run, state):
            yield Violation("altered", device_id, room, f"{state} was never asked for")
        if states.setdefault((state.id, state.changes), state) != state:
            yield Violation("altered", device_id, room, f"{state} and {states[state.id, state.changes]}")
        for numbered, number in ((by_seq, state.seq), (by_pos, state.pos)):
            if numbered.setdefault((room, number), state.id) != state.id:
                yield Violation("altered", device_id, room, f"{state}: its number is that of another message")


def _is_wanted(run: Run, state: Stored) -> bool:
    if state.version > 1 or state.content is None:
        return state.content in run.wanted[state.id]
    send = run.history.sends.get(state.key)
    # A message without a request is a phantom, which `phantoms` reports.
    return send is None or send.content == state.content


def refused(run: Run) -> Iterator[Violation]:
    """Finds answers that no client that keeps to the protocol should get."""
    for user_id, what in run.history.refusals:
        yield Violation("refused", (user_id, 0), "", what)


STORE_CHECKS = (
    unstored,
    stored_twice,
    overtaken,
    out_of_order,
    numbers,
    phantoms,
    altered,
    refused,
    mentions,
    unstored_annotations,
    miscounted,
    positions_shared,
    unstored_files,
    altered_files,
    searched,
)
