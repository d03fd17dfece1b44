"""Owns the log of a run: what was asked, what came of it, what each device was told, and when.

All times are of one clock that never jumps. Nothing is judged here.
"""

from __future__ import annotations

import time
from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.faults.told import Key, Stored, Told

# A user and the number of his device.
Seat = tuple[int, int]
# No device: the final read of the stored messages over REST.
ARCHIVE: Seat = (0, 0)
# No socket: what came over REST.
REST = 0


class Ack(NamedTuple):
    """One answer that says that the message is stored."""

    at: float
    stored: Stored


class Lane(NamedTuple):
    """Where an attempt went: through which socket, and as its how manieth command."""

    seat: Seat
    socket: int
    number: int


@dataclass(slots=True)
class Send:
    """A message that somebody wanted stored, from the first attempt to the last answer."""

    key: Key
    room: str
    content: str
    at: float
    acks: list[Ack] = field(default_factory=list)
    # Attempts that ended without an answer, or with "try again".
    unknown: int = 0
    # Refused for good, and no earlier attempt can have succeeded.
    failed: bool = False
    # Of the first attempt, if it went through a socket.
    lane: Lane | None = None


@dataclass(slots=True)
class Change:
    """An edit, or with `content` None a deletion, of one's own message."""

    message_id: str
    room: str
    content: str | None
    acked: bool = False


class Absence(NamedTuple):
    """Somebody was out of a conversation between two positions; `to_pos` is None while he still is."""

    user_id: int
    room: str
    from_pos: int
    to_pos: int | None


class View:
    """What one device was told of one conversation, as it came."""

    __slots__ = ("asked", "at", "room", "seat", "sockets", "stood", "told")

    def __init__(self, seat: Seat, room: str) -> None:
        self.seat = seat
        self.room = room
        self.told: list[Told] = []
        self.at = array("d")
        self.sockets = array("l")
        # Each time it asked to be brought up to date: after how many things, on which socket, from where.
        self.asked: list[tuple[int, int, int]] = []
        # Socket -> where the last answer to that said that it stands.
        self.stood: dict[int, int] = {}

    def add(self, at: float, socket: int, told: Told) -> None:
        """The next thing."""
        self.told.append(told)
        self.at.append(at)
        self.sockets.append(socket)


class History:
    """Everything that happened to the people of a run."""

    def __init__(self) -> None:
        self.sends: dict[Key, Send] = {}
        self.changes: list[Change] = []
        self.absences: list[Absence] = []
        self.members: dict[str, list[int]] = {}
        self.views: dict[tuple[Seat, str], View] = {}
        # Close codes of sockets that the device didn't close itself.
        self.endings: Counter[int] = Counter()
        # Seat -> when it was up to date on one socket: from, and until.
        self.spells: dict[Seat, list[tuple[float, float]]] = defaultdict(list)
        # What no client should ever be told: codes, closes for good.
        self.refusals: list[tuple[int, str]] = []
        self.acked = 0

    @staticmethod
    def now() -> float:
        """This moment."""
        return time.monotonic()

    def view(self, seat: Seat, room: str) -> View:
        """What the device was told of the conversation so far."""
        found = self.views.get((seat, room))
        if found is None:
            found = self.views[seat, room] = View(seat, room)
        return found

    def invoked(self, key: Key, room: str, content: str) -> Send:
        """The sender asks for the first time."""
        send = self.sends[key] = Send(key, room, content, self.now())
        return send

    def stored(self, send: Send, stored: Stored) -> None:
        """The sender was told that it is stored."""
        self.acked += not send.acks
        send.acks.append(Ack(self.now(), stored))

    def refused(self, user_id: int, what: str) -> None:
        """Somebody was told what nobody should be."""
        self.refusals.append((user_id, what))
