"""Checks each view: the events that one device got of one conversation, in the order in which it came."""

from __future__ import annotations

from collections.abc import Iterator

from tests.faults.record.events import ADDED, MESSAGE_CHANGES, ReceivedEvent
from tests.faults.record.history import ARCHIVE, REST, DeviceView
from tests.faults.record.run import Run, Violation

_SHOWN = 10
_AROUND = 6


def lost(run: Run, view: DeviceView) -> Iterator[Violation]:
    """Finds stored messages that a device never got though its user may see them, or got in an old state."""
    last: dict[str, int] = {}
    for event in view.events:
        message = event.message
        if message is not None and message.pos > last.get(message.id, 0):
            last[message.id] = message.pos
    user_id = view.device_id[0]
    if view.device_id != ARCHIVE and user_id not in run.history.members[view.room]:
        return
    for message in run.tables.messages[view.room]:
        pos = last.get(message.id, 0)
        if pos < message.pos and run.may_see(user_id, view.room, message.seq):
            kind = "stale" if pos else "lost"
            yield Violation(
                kind, view.device_id, view.room, f"{message.key}, seq {message.seq}, pos {message.pos}"
            )


def live_order(run: Run, view: DeviceView) -> Iterator[Violation]:
    """Checks that the live events of one socket come once, in order and without holes."""
    last: dict[int, int] = {}
    # Other positions were passed through, and may be left out.
    final = run.tables.last_positions(view.room)
    for index, (socket, event) in enumerate(zip(view.sockets, view.events, strict=True)):
        if socket == REST or event.replay:
            continue
        before, pos = last.get(socket), event.pos
        if before is not None:
            if pos == before:
                what = f"{event.type} at {pos} live on socket {socket}; {_around(view, index)}"
                yield Violation("doubled", view.device_id, view.room, what)
            elif pos < before:
                yield Violation(
                    "reordered", view.device_id, view.room, f"{event.type} at {pos} after {before}"
                )
            elif pos > before + 1 and not _begins_anew(view, event):
                yield from _left_out(run, view, index, range(before + 1, pos), final)
        last[socket] = max(pos, before or 0)


def replays(run: Run, view: DeviceView) -> Iterator[Violation]:
    """Checks that a replay begins above the requested position, is in order, and has no live event in
    between.
    """
    asked = {index: (socket, pos) for index, socket, pos in view.requests}
    # Socket -> the position of its present replay, and whether a live event followed that replay.
    last: dict[int, int] = {}
    begun: dict[int, bool] = {}
    for index, (socket, event) in enumerate(zip(view.sockets, view.events, strict=True)):
        if index in asked:
            asker, last[asker] = asked[index]
            begun.pop(asker, None)
        if not event.replay:
            if socket in begun:
                begun[socket] = True
            continue
        if event.pos <= last.get(socket, 0):
            kind = "reordered" if socket in begun else "doubled"
            yield Violation(kind, view.device_id, view.room, f"pos {event.pos} replayed after {last[socket]}")
        elif begun.get(socket, False):
            yield Violation(
                "reordered", view.device_id, view.room, f"pos {event.pos} replayed after what is live"
            )
        last[socket], begun[socket] = event.pos, begun.get(socket, False)


def leaked(run: Run, view: DeviceView) -> Iterator[Violation]:
    """Finds events delivered to a user who was no member when they happened, or when the message was sent."""
    user_id = view.device_id[0]
    if view.device_id == ARCHIVE:
        return
    if user_id not in run.history.members[view.room]:
        if view.events:
            yield Violation("leaked", view.device_id, view.room, f"{len(view.events)} to a stranger")
        return
    if (view.room, user_id) not in run.absences:
        return
    for index, (socket, event) in enumerate(zip(view.sockets, view.events, strict=True)):
        if _is_leak(run, user_id, socket, event):
            spans = [(one.from_pos, one.to_pos) for one in run.absences[view.room, user_id]]
            out = [span for span in spans if span[0] <= event.pos][-1:]
            what = f"{event.type} at pos {event.pos} on socket {socket}, out {out}; {_around(view, index)}"
            yield Violation("leaked", view.device_id, view.room, what)


def _around(view: DeviceView, index: int) -> str:
    """Describes the events just before and after: time, socket, type, whether replayed."""
    near = range(max(0, index - _AROUND), min(len(view.events), index + _AROUND))
    rows = [(view.at[number], view.sockets[number], view.events[number]) for number in near]
    event = (
        f"{at:.3f} {socket} {t.type} {t.pos}{' again' * t.replay} {t.user_id or t.users}"
        for at, socket, t in rows
    )
    return "around: " + ", ".join(event)


def _is_leak(run: Run, user_id: int, socket: int, event: ReceivedEvent) -> bool:
    is_live = socket != REST and not event.replay
    was_in = run.was_in(user_id, event.room, event.pos)
    is_hidden = event.message is not None and not run.may_see(user_id, event.room, event.message.seq)
    # Changes of such messages after the user's return go to all members alike; the promises say so. A gateway that
    # is still catching up sends them as a part of the replay.
    if is_hidden and not (socket != REST and event.type in MESSAGE_CHANGES and was_in):
        return True
    # A returning user may learn the present state of messages and members, even if it changed meanwhile.
    return is_live and not was_in


def _begins_anew(view: DeviceView, event: ReceivedEvent) -> bool:
    """Whether the user was added again: the device fetches what it missed before."""
    return event.type == ADDED and event.concerns(view.device_id[0])


def _left_out(run: Run, view: DeviceView, index: int, skipped: range, final: set[int]) -> Iterator[Violation]:
    user_id, room = view.device_id[0], view.room
    # While the socket catches up, its events are held back. Then it stands where the answer says; without an
    # answer it stands nowhere yet, and asks again elsewhere.
    answered = view.answered_before(index, view.sockets[index])
    after = skipped[-1] if answered is None else answered
    missing = [pos for pos in skipped if pos > after and pos in final and run.was_in(user_id, room, pos)]
    if missing:
        yield Violation("hole", view.device_id, room, f"pos {missing[:_SHOWN]} left out")


VIEW_CHECKS = (lost, live_order, replays, leaked)
