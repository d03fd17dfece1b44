"""Owns what is checked of each view: one device's, of one conversation, as it came."""

from __future__ import annotations

from collections.abc import Iterator

from tests.faults.history import ARCHIVE, REST, View
from tests.faults.run import Run, Violation
from tests.faults.told import ADDED, Told

_SHOWN = 10
_AROUND = 6


def lost(run: Run, view: View) -> Iterator[Violation]:
    """Stored, and never seen by a device of somebody who may see it; or not seen as it is at the end."""
    last: dict[str, int] = {}
    for told in view.told:
        message = told.message
        if message is not None and message.pos > last.get(message.id, 0):
            last[message.id] = message.pos
    user_id = view.seat[0]
    if view.seat != ARCHIVE and user_id not in run.history.members[view.room]:
        return
    for message in run.tables.messages[view.room]:
        pos = last.get(message.id, 0)
        if pos < message.pos and run.may_see(user_id, view.room, message.seq):
            kind = "stale" if pos else "lost"
            yield Violation(
                kind, view.seat, view.room, f"{message.key}, seq {message.seq}, pos {message.pos}"
            )


def live_order(run: Run, view: View) -> Iterator[Violation]:
    """On one socket, what is live comes once, in order, and leaves nothing out."""
    last: dict[int, int] = {}
    final = _final_positions(run, view.room)
    for index, (socket, told) in enumerate(zip(view.sockets, view.told, strict=True)):
        if socket == REST or told.replay:
            continue
        before, pos = last.get(socket), told.pos
        if before is not None:
            if pos == before:
                what = f"{told.type} at {pos} live on socket {socket}; {_around(view, index)}"
                yield Violation("doubled", view.seat, view.room, what)
            elif pos < before:
                yield Violation("reordered", view.seat, view.room, f"{told.type} at {pos} after {before}")
            elif pos > before + 1 and not _begins_anew(view, told):
                yield from _left_out(run, view, socket, range(before + 1, pos), final)
        last[socket] = max(pos, before or 0)


def replays(run: Run, view: View) -> Iterator[Violation]:
    """What is replayed is above what was asked for, comes in order, and nothing live comes in between."""
    asked = {index: (socket, pos) for index, socket, pos in view.asked}
    # Socket -> how far its present replay has come, and whether something live followed on it.
    last: dict[int, int] = {}
    begun: dict[int, bool] = {}
    for index, (socket, told) in enumerate(zip(view.sockets, view.told, strict=True)):
        if index in asked:
            asker, last[asker] = asked[index]
            begun.pop(asker, None)
        if not told.replay:
            if socket in begun:
                begun[socket] = True
            continue
        if told.pos <= last.get(socket, 0):
            kind = "reordered" if socket in begun else "doubled"
            yield Violation(kind, view.seat, view.room, f"pos {told.pos} replayed after {last[socket]}")
        elif begun.get(socket, False):
            yield Violation("reordered", view.seat, view.room, f"pos {told.pos} replayed after what is live")
        last[socket], begun[socket] = told.pos, begun.get(socket, False)


def leaked(run: Run, view: View) -> Iterator[Violation]:
    """Told to somebody who was out when it happened, or when it was said."""
    user_id = view.seat[0]
    if view.seat == ARCHIVE:
        return
    if user_id not in run.history.members[view.room]:
        if view.told:
            yield Violation("leaked", view.seat, view.room, f"{len(view.told)} to a stranger")
        return
    if (view.room, user_id) not in run.absences:
        return
    for index, (socket, told) in enumerate(zip(view.sockets, view.told, strict=True)):
        if _is_leak(run, user_id, socket, told):
            spans = [(one.from_pos, one.to_pos) for one in run.absences[view.room, user_id]]
            out = [span for span in spans if span[0] <= told.pos][-1:]
            what = f"{told.type} at pos {told.pos} on socket {socket}, out {out}; {_around(view, index)}"
            yield Violation("leaked", view.seat, view.room, what)


def _around(view: View, index: int) -> str:
    """What the device was told just before and after: time, socket, what, whether it was replayed."""
    near = range(max(0, index - _AROUND), min(len(view.told), index + _AROUND))
    rows = [(view.at[number], view.sockets[number], view.told[number]) for number in near]
    told = (f"{at:.3f} {socket} {t.type} {t.pos}{' again' * t.replay} {t.user_id}" for at, socket, t in rows)
    return "around: " + ", ".join(told)


def _is_leak(run: Run, user_id: int, socket: int, told: Told) -> bool:
    if told.message is not None and not run.may_see(user_id, told.room, told.message.seq):
        return True
    # What a message or a member is like now, who is back may know, also if it became so meanwhile.
    is_live = socket != REST and not told.replay
    return is_live and not run.was_in(user_id, told.room, told.pos)


def _begins_anew(view: View, told: Told) -> bool:
    """Whether he was taken in again: what he missed before, he fetches."""
    return told.type == ADDED and told.user_id == view.seat[0]


def _final_positions(run: Run, room: str) -> set[int]:
    """Where something stands at the end. What only passed through another position may be left out."""
    return {message.pos for message in run.tables.messages[room]} | run.tables.member_positions[room]


def _left_out(run: Run, view: View, socket: int, skipped: range, final: set[int]) -> Iterator[Violation]:
    user_id, room = view.seat[0], view.room
    # Held back while it was brought up to date, it stands where the answer says, or asks again elsewhere.
    has_asked = any(asker == socket for _, asker, _ in view.asked)
    stood = view.stood.get(socket, skipped[-1] if has_asked else 0)
    missing = [pos for pos in skipped if pos > stood and pos in final and run.was_in(user_id, room, pos)]
    if missing:
        yield Violation("hole", view.seat, room, f"pos {missing[:_SHOWN]} left out")


VIEW_CHECKS = (lost, live_order, replays, leaked)
