"""Checks searches: what was acknowledged is found, and nothing deleted, replaced or somebody else's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from tests.faults.actors.searching import word_of
from tests.faults.record.history import Change, Search, Send
from tests.faults.record.run import Run, Violation


class _Text(NamedTuple):
    """A text of a message: when it was acknowledged, and the changes that the author asked for after it."""

    send: Send
    message_id: str
    acked_at: float
    later: list[Change]


def searched(run: Run) -> Iterator[Violation]:
    """Finds what searches missed, and what they should not have found."""
    texts = _texts(run)
    seqs = {message.id: message.seq for messages in run.tables.messages.values() for message in messages}
    for search in run.history.searches:
        text = texts.get(search.word)
        found = {hit.message_id for hit in search.hits}
        if text is not None:
            if text.message_id not in found and _must_be_found(run, search, text):
                yield _violation("unfound", search, text.send.room, f"{text.send.key}")
            if text.message_id in found and _is_replaced(search, text):
                yield _violation("stale", search, text.send.room, f"a former text of {text.send.key}")
        for hit in search.hits:
            if not _may_find(run, search, hit.room, seqs.get(hit.message_id, 0)):
                yield _violation("leaked", search, hit.room, f"found {hit}")
            if search.word not in (hit.content or ""):
                yield _violation("altered", search, hit.room, f"{hit} doesn't have {search.word}")


def _texts(run: Run) -> dict[str, _Text]:
    """All texts whose fate is known, by their word."""
    changes: dict[str, list[Change]] = defaultdict(list)
    for change in run.history.changes:
        changes[change.message_id].append(change)
    found = {}
    for send in run.history.sends.values():
        if not send.acks:
            continue
        first = send.acks[0]
        later = changes[first.stored.id]
        found[word_of(send.content)] = _Text(send, first.stored.id, first.at, later)
        for number, change in enumerate(later, start=1):
            if change.content is not None and change.acked:
                text = _Text(send, first.stored.id, change.acked_at, later[number:])
                found[word_of(change.content)] = text
    return found


def _must_be_found(run: Run, search: Search, text: _Text) -> bool:
    room = text.send.room
    is_member = search.user_id in run.history.members[room] and not run.absences.get((room, search.user_id))
    is_changed = any(change.at <= search.answered_at for change in text.later)
    return is_member and text.acked_at <= search.asked_at and not is_changed


def _is_replaced(search: Search, text: _Text) -> bool:
    return any(change.acked and change.acked_at <= search.asked_at for change in text.later)


def _may_find(run: Run, search: Search, room: str, seq: int) -> bool:
    return search.user_id in run.history.members.get(room, ()) and run.may_see(search.user_id, room, seq)


def _violation(kind: str, search: Search, room: str, what: str) -> Violation:
    what = f"{what}, by {search.word!r} asked at {search.asked_at:.3f}, answered at {search.answered_at:.3f}"
    return Violation(kind, (search.user_id, 0), room, what)
