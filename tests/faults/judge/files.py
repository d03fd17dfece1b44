"""Checks files: what was acknowledged is stored, and every device knows each message's files as they are."""

from __future__ import annotations

from collections.abc import Iterator

from tests.faults.record.events import FILES, Attached
from tests.faults.record.history import ARCHIVE, REST, DeviceView, Send
from tests.faults.record.run import Run, Violation


def unstored_files(run: Run) -> Iterator[Violation]:
    """Finds messages that lack their file, have another one, or have it in an old state."""
    for room, messages in run.tables.messages.items():
        stored = {attached.id: attached for attached in run.tables.attached[room]}
        for message in messages:
            send = run.history.sends.get(message.key)
            wanted = (
                [send.file_id] if send is not None and send.file_id and message.content is not None else []
            )
            attached = stored.get(message.id, Attached.of(message.id, ()))
            if attached.file_ids != wanted:
                kind = "lost" if wanted else "phantom"
                yield Violation(kind, ARCHIVE, room, f"{message} has {attached}, not {wanted}")
            yield from _outdated(run, room, attached)


def altered_files(run: Run) -> Iterator[Violation]:
    """Finds a message that a device was told to have another file than the one it was sent with."""
    sends = {
        message.id: run.history.sends.get(message.key)
        for messages in run.tables.messages.values()
        for message in messages
    }
    for device_id, event in run.events:
        attached = event.attached
        # A message that isn't stored is reported by others.
        if attached is None or (send := sends.get(attached.id)) is None:
            continue
        if attached.file_ids != [send.file_id]:
            yield Violation("altered", device_id, event.room, f"{attached}, sent with {send.file_id}")


def file_positions_taken(run: Run, room: str) -> tuple[int, int]:
    """Returns how many positions files have taken in the conversation at least, and at most.

    A message has one file, whose state changes once. If the message was deleted after that, maybe nobody was
    told.
    """
    told = set(run.tables.file_positions[room])
    known = {attached.id for attached in run.tables.attached[room]}
    for _, event in run.events:
        if event.room == room and event.type == FILES and event.attached is not None:
            told.add(event.pos)
            known.add(event.attached.id)
    unknown = [
        message
        for message in run.tables.messages[room]
        if message.id not in known and _has_picture(run, run.history.sends.get(message.key))
    ]
    return len(told), len(told) + len(unknown)


def files_told(run: Run, view: DeviceView) -> Iterator[Violation]:
    """Finds messages of whose files a device was not told the last state."""
    user_id, room = view.device_id[0], view.room
    if view.device_id != ARCHIVE and user_id not in run.history.members[room]:
        return
    known = _known_states(view)
    seqs = {message.id: message.seq for message in run.tables.messages[room]}
    for attached in run.tables.attached[room]:
        states = known.get(attached.id, [])
        if attached not in states and run.may_see(user_id, room, seqs[attached.id]):
            kind = "stale" if states else "lost"
            yield Violation(kind, view.device_id, room, f"{attached}, told {states}")


def _outdated(run: Run, room: str, attached: Attached) -> Iterator[Violation]:
    for row in attached.rows:
        told = (row["state"], row["size"], row["mime"], row["kind"])
        file = run.tables.files.get(row["file_id"])
        if file is None:
            yield Violation("lost", ARCHIVE, room, f"the row of a file of {attached}")
        elif file != told:
            yield Violation("stale", ARCHIVE, room, f"{attached} is {file}")


def _has_picture(run: Run, send: Send | None) -> bool:
    return send is not None and send.file_id is not None and run.history.uploads[send.file_id].is_picture


def _known_states(view: DeviceView) -> dict[str, list[Attached]]:
    """Returns each message's files as the device knows them at the end.

    They are those of the last event by pos, and of the last reading of history: either may be the later one.
    """
    last: dict[tuple[str, bool], tuple[int, Attached]] = {}
    for socket, event in zip(view.sockets, view.events, strict=True):
        if event.attached is None:
            continue
        subject = (event.attached.id, socket == REST)
        pos = 0 if socket == REST else event.pos
        if subject not in last or pos >= last[subject][0]:
            last[subject] = pos, event.attached
    found: dict[str, list[Attached]] = {}
    for (message_id, _), (_, attached) in last.items():
        found.setdefault(message_id, []).append(attached)
    return found
