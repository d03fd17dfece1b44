"""The entries of the presence cache: users with their state, and the conversations that sockets view."""

from __future__ import annotations

import asyncio
import math
from bisect import bisect_right
from typing import Final

import orjson

from gateway.connections.connection import Connection
from messenger_shared.contract import events
from messenger_shared.contract.presence_states import OFFLINE, TYPES, fields_of, moment

# A log is compacted when its dead entries outnumber the live ones by more than this.
MAX_DEAD_ENTRIES: Final = 64


class ViewedConversation:
    """A conversation that sockets of this worker view: its members, and which changes each socket was sent.

    A change costs the same for any number of listeners: it goes into a log, which has each user once, and
    each socket reads on from its own position in the log.
    """

    __slots__ = ("_indexes", "_numbers", "_users", "last_number", "listeners", "members")

    def __init__(self) -> None:
        self.members: set[int] = set()
        # Socket -> the last log number that it was sent; None until its `subscribe` is answered.
        self.listeners: dict[Connection, int | None] = {}
        self.last_number = 0
        # The log: growing numbers, the user of each (None if dropped), and each user's index.
        self._numbers: list[int] = []
        self._users: list[UserPresence | None] = []
        self._indexes: dict[UserPresence, int] = {}

    def log_change(self, user: UserPresence) -> None:
        """Appends a change of the user, and drops their earlier entry."""
        self.drop(user)
        self.last_number += 1
        self._indexes[user] = len(self._users)
        self._numbers.append(self.last_number)
        self._users.append(user)
        if len(self._users) > 2 * len(self._indexes) + MAX_DEAD_ENTRIES:
            self._compact()

    def drop(self, user: UserPresence) -> None:
        """Drops the user's entry, if there is one."""
        if (index := self._indexes.pop(user, None)) is not None:
            self._users[index] = None

    def take_unsent(self, connection: Connection, limit: int) -> list[UserPresence]:
        """Takes the next users, at most `limit`, whose changes the socket hasn't been sent."""
        sent = self.listeners.get(connection)
        found: list[UserPresence] = []
        if sent is None:
            return found
        index = bisect_right(self._numbers, sent)
        while index < len(self._users) and len(found) < limit:
            if (user := self._users[index]) is not None:
                found.append(user)
            self.listeners[connection] = self._numbers[index]
            index += 1
        return found

    def _compact(self) -> None:
        rows = zip(self._numbers, self._users, strict=True)
        kept = [(number, user) for number, user in rows if user is not None]
        self._numbers = [number for number, _ in kept]
        self._users = [user for _, user in kept]
        self._indexes = {user: index for index, (_, user) in enumerate(kept)}


class UserPresence:
    """A user whom sockets of this worker see, with their state. While `version` is -1, nothing is known."""

    __slots__ = (
        "_rows",
        "at_ms",
        "checked_at",
        "hides",
        "own_sockets",
        "request",
        "seen_ms",
        "status",
        "user_id",
        "version",
        "viewed_in",
        "watchers",
    )

    def __init__(self, user_id: int) -> None:
        self.user_id = user_id
        self.viewed_in: set[ViewedConversation] = set()
        # Sockets that asked for this user by `presence.watch`.
        self.watchers: set[Connection] = set()
        # The user's own sockets that watch others: they don't see of others what this user hides.
        self.own_sockets: set[Connection] = set()
        # The request to presence under way, None if there is none; and when the last answered one began.
        self.request: asyncio.Future[None] | None = None
        self.checked_at = -math.inf
        self.version = -1
        self.status = OFFLINE
        self.at_ms = 0
        self.seen_ms: int | None = None
        self.hides = True
        # The encoded rows, without and with `last_seen_at`; made once for all sockets.
        self._rows: list[bytes | None] = [None, None]

    @property
    def is_unseen(self) -> bool:
        """Whether no socket here sees the user any more."""
        return not (self.viewed_in or self.watchers or self.own_sockets)

    def is_seen_by(self, connection: Connection) -> bool:
        """Whether the socket still sees the user."""
        return connection in self.watchers or any(connection in viewed.listeners for viewed in self.viewed_in)

    def update(self, status: str, at_ms: int, seen_ms: int | None, *, hides: bool) -> bool:
        """Sets the state; returns whether the status changed."""
        has_changed = status != self.status
        self.status, self.hides = status, hides
        if has_changed:
            self.at_ms, self.seen_ms = at_ms, seen_ms
        self._rows = [None, None]
        return has_changed

    def row(self, *, with_seen: bool) -> bytes:
        """The user's row in a `presence.batch` frame."""
        row = self._rows[with_seen]
        if row is None:
            fields = {"user_id": self.user_id, "status": self.status}
            row = self._rows[with_seen] = orjson.dumps(
                {**fields, "last_seen_at": moment(self._shown_seen_ms(with_seen))}
            )
        return row

    def frame(self, *, with_seen: bool) -> bytes:
        """The frame about this user alone."""
        fields = fields_of(self.user_id, self.at_ms, self._shown_seen_ms(with_seen))
        return events.encode_frame(TYPES[self.status], **fields)

    def _shown_seen_ms(self, with_seen: bool) -> int | None:
        return self.seen_ms if with_seen and not self.hides and self.status == OFFLINE else None
