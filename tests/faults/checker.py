"""Owns the judgement of a run: pure, from the log alone, per member and conversation."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from tests.faults.history import Entry, Key, Kind, Stored

Members = Mapping[str, Collection[int]]


class Violation(NamedTuple):
    """One broken promise."""

    kind: str
    member: int
    conversation: str
    what: str


class Run:
    """The log, sorted by what the checks ask of it."""

    def __init__(self, entries: Iterable[Entry], members: Members) -> None:
        self.members = members
        self.invoked: dict[str, dict[Key, Entry]] = defaultdict(dict)
        self.acked: dict[str, dict[Key, Entry]] = defaultdict(dict)
        self.failed: dict[str, set[Key]] = defaultdict(set)
        self.delivered: dict[tuple[str, int], list[tuple[Key, Stored]]] = defaultdict(list)
        for entry in entries:
            self._sort(entry)

    def views(self) -> Iterator[tuple[str, int, list[tuple[Key, Stored]]]]:
        """What each member of each conversation saw, in that order; of others too, if they saw anything."""
        theirs = {(room, member) for room, members in self.members.items() for member in members}
        for room, member in sorted(theirs | set(self.delivered)):
            yield room, member, self.delivered.get((room, member), [])

    def _sort(self, entry: Entry) -> None:
        room, key = entry.conversation, entry.key
        if entry.kind is Kind.INVOKE:
            self.invoked[room][key] = entry
        elif entry.kind is Kind.FAIL:
            self.failed[room].add(key)
        elif entry.kind is Kind.OK:
            self.acked[room].setdefault(key, entry)
        elif entry.kind is Kind.DELIVERED and entry.stored is not None:
            self.delivered[room, entry.member].append((key, entry.stored))


def check(entries: Iterable[Entry], members: Members) -> list[Violation]:
    """All broken promises. `members` says who must have seen what was stored in each conversation."""
    run = Run(entries, members)
    checks = (lost, doubled, reordered, overtaken, holes, phantoms, altered, leaked)
    return [violation for check in checks for violation in check(run)]


def lost(run: Run) -> Iterator[Violation]:
    """Acked, or seen by anybody, and never seen by a member."""
    wanted: dict[str, set[Key]] = defaultdict(set)
    for room, acked in run.acked.items():
        wanted[room] |= acked.keys()
    for room, _, view in run.views():
        wanted[room] |= {key for key, _ in view}
    for room, member, view in run.views():
        if member in run.members.get(room, ()):
            for key in sorted(wanted[room] - {key for key, _ in view}):
                yield Violation("lost", member, room, str(key))


def doubled(run: Run) -> Iterator[Violation]:
    """One send seen twice, be it as one message or as two."""
    for room, member, view in run.views():
        for key, times in Counter(key for key, _ in view).items():
            if times > 1:
                yield Violation("doubled", member, room, f"{key} {times} times")


def reordered(run: Run) -> Iterator[Violation]:
    """Seen after a message that comes later."""
    for room, member, view in run.views():
        for (_, before), (key, after) in pairwise(view):
            if after.seq < before.seq or after.pos < before.pos:
                yield Violation("reordered", member, room, f"{key}: {after.seq} after {before.seq}")


def overtaken(run: Run) -> Iterator[Violation]:
    """Numbered before a message that was acked before this one was even asked for."""
    for room, acked in run.acked.items():
        earliest = float("inf")
        for entry in sorted(acked.values(), key=_seq, reverse=True):
            invoked = run.invoked[room].get(entry.key)
            if invoked is not None and invoked.at > earliest:
                yield Violation("overtaken", entry.member, room, f"{entry.key} at {_seq(entry)}")
            earliest = min(earliest, entry.at)


def holes(run: Run) -> Iterator[Violation]:
    """A number below one that the member saw, which he never saw."""
    for room, member, view in run.views():
        seqs = {stored.seq for _, stored in view}
        missing = sorted(set(range(1, max(seqs, default=0) + 1)) - seqs)
        if missing:
            yield Violation("hole", member, room, str(missing))


def phantoms(run: Run) -> Iterator[Violation]:
    """Seen, but never asked for in this conversation, or refused for good."""
    for room, member, view in run.views():
        for key in sorted({key for key, _ in view}):
            if key not in run.invoked[room] or key in run.failed[room]:
                yield Violation("phantom", member, room, str(key))


def altered(run: Run) -> Iterator[Violation]:
    """Not what was asked for, not what was acked, or not what others saw; or a number given twice."""
    first: dict[tuple[str, Key], Stored] = {}
    numbered: dict[tuple[str, int], Key] = {}
    seen = [(room, e.member, e.key, e.stored) for room, acked in run.acked.items() for e in acked.values()]
    seen += [(room, member, *pair) for room, member, view in run.views() for pair in view]
    for room, member, key, stored in seen:
        if stored is None:
            continue
        asked = run.invoked[room].get(key)
        if asked is not None and asked.content != stored.content:
            yield Violation("altered", member, room, f"{key}: {stored} instead of {asked.content!r}")
        elif first.setdefault((room, key), stored) != stored:
            yield Violation("altered", member, room, f"{key}: {stored} and {first[room, key]}")
        elif numbered.setdefault((room, stored.seq), key) != key:
            yield Violation("altered", member, room, f"{stored.seq}: {key} and {numbered[room, stored.seq]}")


def leaked(run: Run) -> Iterator[Violation]:
    """Seen by somebody who is no member."""
    for room, member, view in run.views():
        if view and member not in run.members.get(room, ()):
            yield Violation("leaked", member, room, f"{len(view)} messages")


def _seq(entry: Entry) -> int:
    return entry.stored.seq if entry.stored is not None else 0
