"""The log of a run: requests, their outcomes, and what each device received and when. It judges nothing.

All times are of one monotonic clock.
"""

from __future__ import annotations

import time
from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.faults.record.events import Key, ReceivedEvent, Stored
from tests.faults.record.host_log import HostLog

# A user's id and the number of one of their devices.
DeviceId = tuple[int, int]
# Not a device: the final read of the stored messages over REST.
ARCHIVE: DeviceId = (0, 0)
# Not a socket: the event came over REST.
REST = 0


class Ack(NamedTuple):
    """One answer that says that the message is stored."""

    at: float
    stored: Stored


class CommandPosition(NamedTuple):
    """The place of an attempt: its socket, and its number among the socket's commands."""

    device_id: DeviceId
    socket: int
    number: int


@dataclass(slots=True)
class Send:
    """A message to store, from its first attempt to the last answer.

    `mentions` are the users it names, `file_id` is the file that it has.
    """

    key: Key
    room: str
    content: str
    at: float
    mentions: tuple[int, ...] = ()
    file_id: str | None = None
    acks: list[Ack] = field(default_factory=list)
    # Attempts that ended without an answer, or with "try again".
    unknown: int = 0
    # Refused for good, while no earlier attempt can have succeeded.
    failed: bool = False
    # The place of the first attempt, if it went through a socket.
    position: CommandPosition | None = None


@dataclass(slots=True)
class Change:
    """An edit of the user's own message; a deletion if `content` is None."""

    message_id: str
    room: str
    content: str | None
    acked: bool = False
    at: float = 0.0
    acked_at: float = 0.0


class Hit(NamedTuple):
    """A message that a search found, with its text at that moment."""

    room: str
    message_id: str
    content: str | None


class Search(NamedTuple):
    """A search for one word, from its first question to the answer with its last page."""

    user_id: int
    word: str
    asked_at: float
    answered_at: float
    hits: tuple[Hit, ...]


@dataclass(slots=True)
class Annotation:
    """A reaction that a user sets or removes; a pin if `emoji` is None."""

    message_id: str
    room: str
    user_id: int
    emoji: str | None
    on: bool
    acked: bool = False


@dataclass(slots=True)
class Upload:
    """A file whose bytes were all taken. It is `acked` once its completion was answered."""

    file_id: str
    user_id: int
    sha256: str
    # A picture is examined, which changes its bytes.
    is_picture: bool
    acked: bool = False


class Absence(NamedTuple):
    """A user was out of a conversation between two positions; `to_pos` is None until they return."""

    user_id: int
    room: str
    from_pos: int
    to_pos: int | None


class DeviceView:
    """The events that one device got of one conversation, in the order in which it came."""

    __slots__ = ("answers", "at", "device_id", "events", "requests", "room", "sockets")

    def __init__(self, device_id: DeviceId, room: str) -> None:
        self.device_id = device_id
        self.room = room
        self.events: list[ReceivedEvent] = []
        self.at = array("d")
        self.sockets = array("l")
        # Each request to catch up: (number of events before it, socket, position).
        self.requests: list[tuple[int, int, int]] = []
        # The index of a request -> the position in its answer.
        self.answers: dict[int, int] = {}

    def add(self, at: float, socket: int, event: ReceivedEvent) -> None:
        """Appends the next event."""
        self.events.append(event)
        self.at.append(at)
        self.sockets.append(socket)

    def answered(self, socket: int, pos: int) -> None:
        """Notes the answer to the socket's last request."""
        self.answers[max(index for index, row in enumerate(self.requests) if row[1] == socket)] = pos

    def answered_before(self, index: int, socket: int) -> int | None:
        """Returns where the socket's last request before this event put it: 0 if there was no request, None
        if it has no answer.
        """
        before = [number for number, row in enumerate(self.requests) if row[1] == socket and row[0] <= index]
        return self.answers.get(before[-1]) if before else 0


class History:
    """Everything that happened to the users of a run."""

    def __init__(self) -> None:
        self.sends: dict[Key, Send] = {}
        self.changes: list[Change] = []
        self.annotations: list[Annotation] = []
        # By file id.
        self.uploads: dict[str, Upload] = {}
        self.searches: list[Search] = []
        self.absences: list[Absence] = []
        self.members: dict[str, list[int]] = {}
        self.views: dict[tuple[DeviceId, str], DeviceView] = {}
        # Close codes of sockets that the device didn't close itself.
        self.close_codes: Counter[int] = Counter()
        # Device -> the spans of time in which it was up to date on one socket.
        self.up_to_date_spans: dict[DeviceId, list[tuple[float, float]]] = defaultdict(list)
        # What no client should ever get: error codes, and closes that forbid a reconnect.
        self.refusals: list[tuple[int, str]] = []
        # Users whom a socket was told to be offline.
        self.shown_offline: set[int] = set()
        self.acked = 0
        self.hosts: list[HostLog] = []

    @staticmethod
    def now() -> float:
        """Returns the time, in seconds, of the clock of this log."""
        return time.monotonic()

    def view(self, device_id: DeviceId, room: str) -> DeviceView:
        """Returns the events that the device got of the conversation so far."""
        found = self.views.get((device_id, room))
        if found is None:
            found = self.views[device_id, room] = DeviceView(device_id, room)
        return found

    def invoked(
        self,
        key: Key,
        room: str,
        content: str,
        mentions: tuple[int, ...] = (),
        file_id: str | None = None,
    ) -> Send:
        """Logs the first attempt of a send."""
        send = self.sends[key] = Send(key, room, content, self.now(), mentions, file_id)
        return send

    def stored(self, send: Send, stored: Stored) -> None:
        """Logs that the sender got an ack."""
        self.acked += not send.acks
        send.acks.append(Ack(self.now(), stored))

    def refused(self, user_id: int, what: str) -> None:
        """Logs an answer that no client should get."""
        self.refusals.append((user_id, what))
