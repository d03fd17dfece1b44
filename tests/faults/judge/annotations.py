"""Checks reactions and pins: what was acknowledged is stored once, and every device was told so."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from messenger_shared.contract.operations.pins import PINS_NAMED
from tests.faults.record.events import HISTORY
from tests.faults.record.history import ARCHIVE, REST, Annotation, DeviceView
from tests.faults.record.run import AnnotationKey, Run, Violation


def unstored_annotations(run: Run) -> Iterator[Violation]:
    """Finds reactions and pins that are not stored as they were last acknowledged, and those nobody set."""
    stored = Counter[AnnotationKey](run.tables.reactions)
    owners = {room: members[0] for room, members in run.history.members.items()}
    stored.update((id_, owners[room], None) for room, ids in run.tables.pins.items() for id_ in ids)
    deleted = {row.id for rows in run.tables.messages.values() for row in rows if row.content is None}
    for key, asked in run.annotations.items():
        times, state = stored.pop(key, 0), _last_state(asked)
        if times > 1:
            yield Violation("doubled", ARCHIVE, asked[0].room, f"{key} is stored {times} times")
        elif state is not None and bool(times) != (state and key[0] not in deleted):
            yield Violation("lost", ARCHIVE, asked[0].room, f"stored {times} times, and acked: {asked[-1]}")
    for key in stored:
        yield Violation("phantom", ARCHIVE, "", f"nobody set {key}")


def miscounted(run: Run) -> Iterator[Violation]:
    """Finds counts that are not the number of distinct users who reacted."""
    users: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for message_id, user_id, emoji in run.tables.reactions:
        users[message_id][emoji].add(user_id)
    for room, heads in run.tables.reaction_heads.items():
        for _, reactions in heads:
            told = {emoji: count for emoji, count, _ in reactions.counts}
            rows = {emoji: len(who) for emoji, who in users[reactions.message_id].items()}
            if told != rows:
                kind = "doubled" if sum(told.values()) > sum(rows.values()) else "lost"
                yield Violation(kind, ARCHIVE, room, f"{reactions.message_id} counts {told}, and has {rows}")


def positions_shared(run: Run) -> Iterator[Violation]:
    """Finds a pos that two events have which are not the same, or of different subjects."""
    seen: dict[tuple[str, int], object] = {}
    for device_id, event in run.events:
        if event.type != HISTORY:
            message_id = event.message and event.message.id
            subject = event.reactions or message_id or event.attached or event.pins is not None
            if seen.setdefault((event.room, event.pos), subject) != subject:
                what = f"{subject} and {seen[event.room, event.pos]} at {event.pos}"
                yield Violation("altered", device_id, event.room, what)


def positions_taken(run: Run, room: str) -> tuple[int, int]:
    """Returns how many positions reactions and pins have taken in the conversation at least, and at most.

    Those between were taken by changes that nobody was told of before the next one.
    """
    # The pos of each event, and how many changes it reports at least.
    told = dict.fromkeys((pos for pos, _ in run.tables.reaction_heads[room]), 1)
    if room in run.tables.pin_positions:
        told[run.tables.pin_positions[room]] = 1
    for _, event in run.events:
        if event.room == room and event.type != HISTORY and event.is_annotation:
            told[event.pos] = max(event.changes, told.get(event.pos, 1))
    asked = sum(_changes(those) for those in run.annotations.values() if those[0].room == room)
    return len(told), len(told) + max(0, asked - sum(told.values()))


def annotations_told(run: Run, view: DeviceView) -> Iterator[Violation]:
    """Finds reactions and pins of which a device was not told the last state."""
    user_id, room = view.device_id[0], view.room
    if view.device_id != ARCHIVE and user_id not in run.history.members[room]:
        return
    known = _known_states(view)
    seqs = {message.id: message.seq for message in run.tables.messages[room]}
    for pos, reactions in run.tables.reaction_heads[room]:
        states = known.get(reactions.message_id, ())
        if reactions not in states and run.may_see(user_id, room, seqs[reactions.message_id]):
            kind = "stale" if states else "lost"
            yield Violation(
                kind,
                view.device_id,
                room,
                f"{reactions} at pos {pos}, told {states}",
            )
    # A list of pins has the visible ones, an event all. A deletion ends a pin without an event of its own.
    pins = run.tables.pins[room][:PINS_NAMED]
    wanted = [id_ for id_ in pins if run.may_see(user_id, room, seqs[id_])]
    if not any([id_ for id_ in told if id_ in wanted] == wanted for told in known.get(None, [()])):
        yield Violation(
            "stale",
            view.device_id,
            room,
            f"pins {wanted}, told {known.get(None)}",
        )


def _known_states(view: DeviceView) -> dict[str | None, list[Any]]:
    """Returns each message's reactions, and for None the pins, as the device knows them at the end.

    They are the state of the last event by pos, and that of the last reading of history, which has no pos:
    either may be the later one.
    """
    last: dict[tuple[str | None, bool], tuple[int, Any]] = {}
    for socket, event in zip(view.sockets, view.events, strict=True):
        if not event.is_annotation:
            continue
        subject = event.reactions.message_id if event.reactions else None
        state = event.reactions or event.pins
        pos = 0 if socket == REST else event.pos
        if pos >= last.get((subject, socket == REST), (0, None))[0]:
            last[subject, socket == REST] = pos, state
    found: dict[str | None, list[Any]] = defaultdict(list)
    for (subject, _), (_, state) in last.items():
        found[subject].append(state)
    return found


def _last_state(asked: Sequence[Annotation]) -> bool | None:
    """Returns whether it is set after these requests; None if that isn't certain."""
    state: bool | None = False
    for one in asked:
        # Also after a refusal: the service may have asked twice, and the user was removed in between.
        state = one.on if one.acked else None
    return state


def _changes(asked: Sequence[Annotation]) -> int:
    """Returns how many of these requests may have changed something."""
    return sum(_last_state(asked[:number]) is not one.on for number, one in enumerate(asked))
