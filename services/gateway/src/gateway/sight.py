"""Owns what looking is made of: people, how they are, and the conversations in which they are seen."""

from __future__ import annotations

import asyncio
import math
from bisect import bisect_right
from typing import Any, Final

import orjson

from gateway.connection import Connection
from messenger_shared import events
from messenger_shared.presences import AWAY, OFFLINE, ONLINE, moment

# How many entries of a log may be of no use any more, besides as many as are.
SLACK: Final = 64
_TYPES: Final = {ONLINE: events.USER_ONLINE, AWAY: events.USER_AWAY, OFFLINE: events.USER_OFFLINE}


class Sight:
    """A conversation that sockets of this worker look at: who is in it, and what each socket has been told.

    A change costs the same however many look: it is logged, each person once, and each socket reads on from
    where it was.
    """

    __slots__ = ("_numbers", "_people", "_places", "last", "listeners", "members")

    def __init__(self) -> None:
        self.members: set[int] = set()
        # None as long as a socket waits for the answer that tells how all are.
        self.listeners: dict[Connection, int | None] = {}
        self.last = 0
        # The log: growing numbers, whom each is about (None if he has a later one), and where each person is.
        self._numbers: list[int] = []
        self._people: list[Person | None] = []
        self._places: dict[Person, int] = {}

    def log(self, person: Person) -> None:
        """Others see the person otherwise from now on."""
        self.drop(person)
        self.last += 1
        self._places[person] = len(self._people)
        self._numbers.append(self.last)
        self._people.append(person)
        if len(self._people) > 2 * len(self._places) + SLACK:
            self._tidy()

    def drop(self, person: Person) -> None:
        """There is nothing to tell of the person any more."""
        if (place := self._places.pop(person, None)) is not None:
            self._people[place] = None

    def news(self, connection: Connection, limit: int) -> list[Person]:
        """The next people, at most `limit`, whose changes the socket hasn't been told."""
        told = self.listeners.get(connection)
        found: list[Person] = []
        if told is None:
            return found
        place = bisect_right(self._numbers, told)
        while place < len(self._people) and len(found) < limit:
            if (person := self._people[place]) is not None:
                found.append(person)
            self.listeners[connection] = self._numbers[place]
            place += 1
        return found

    def _tidy(self) -> None:
        rows = zip(self._numbers, self._people, strict=True)
        kept = [(number, person) for number, person in rows if person is not None]
        self._numbers = [number for number, _ in kept]
        self._people = [person for _, person in kept]
        self._places = {person: place for place, (_, person) in enumerate(kept)}


class Person:
    """Somebody whom sockets of this worker see, and how. Until `version` is set, nothing is known of him."""

    __slots__ = (
        "_rows",
        "asking",
        "at_ms",
        "checked_at",
        "hides",
        "own",
        "seen_ms",
        "sights",
        "status",
        "user_id",
        "version",
        "watchers",
    )

    def __init__(self, user_id: int) -> None:
        self.user_id = user_id
        self.sights: set[Sight] = set()
        # Sockets that asked for him by `presence.watch`.
        self.watchers: set[Connection] = set()
        # His own sockets that asked for others: what he hides, they don't see of them.
        self.own: set[Connection] = set()
        # Set while it is asked how he is; and when that was answered last.
        self.asking: asyncio.Future[None] | None = None
        self.checked_at = -math.inf
        self.version = -1
        self.status = OFFLINE
        self.at_ms = 0
        self.seen_ms: int | None = None
        self.hides = True
        # What is said of him, without and with when he was last there: made once for all who hear it.
        self._rows: list[bytes | None] = [None, None]

    @property
    def unseen(self) -> bool:
        """Whether nobody here sees him any more."""
        return not (self.sights or self.watchers or self.own)

    def is_seen_by(self, connection: Connection) -> bool:
        """Whether the socket may still be told."""
        return connection in self.watchers or any(connection in sight.listeners for sight in self.sights)

    def become(self, status: str, at_ms: int, seen_ms: int | None, *, hides: bool) -> bool:
        """How he is from now on; returns whether others see him otherwise than before."""
        moved = status != self.status
        self.status, self.hides = status, hides
        if moved:
            self.at_ms, self.seen_ms = at_ms, seen_ms
        self._rows = [None, None]
        return moved

    def row(self, *, with_seen: bool) -> bytes:
        """How he is, among others."""
        row = self._rows[with_seen]
        if row is None:
            fields = {"user_id": self.user_id, "status": self.status}
            row = self._rows[with_seen] = orjson.dumps({**fields, "last_seen_at": self._last_seen(with_seen)})
        return row

    def frame(self, *, with_seen: bool) -> bytes:
        """How he is, alone."""
        fields: dict[str, Any] = {"user_id": self.user_id, "timestamp": moment(self.at_ms)}
        if (seen := self._last_seen(with_seen)) is not None:
            fields["last_seen_at"] = seen
        return events.encode_frame(_TYPES[self.status], **fields)

    def _last_seen(self, with_seen: bool) -> str | None:
        return moment(self.seen_ms) if with_seen and not self.hides and self.status == OFFLINE else None
