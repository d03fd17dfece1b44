"""Owns telling sockets how people are: at once after a quiet second, else gathered, one frame a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import islice
from typing import Final

from gateway.connection import MAX_BUFFERED_EPHEMERAL_BYTES, Connection
from gateway.framing import text_frame
from gateway.metrics import PRESENCE_FRAMES
from gateway.sight import Person
from messenger_shared import events

# A little more than a second: on the way to a client, what follows may catch up with what was before.
INTERVAL_S: Final = 1.05
USERS_PER_FRAME: Final = 100


class _Outbox:
    """What one socket is still to be told: of each person once, since only how he is then counts."""

    __slots__ = ("next_at", "people", "timer")

    def __init__(self) -> None:
        self.people: dict[Person, None] = {}
        self.next_at = 0.0
        self.timer: asyncio.Handle | None = None


class Telling:
    """An outbox per socket, which holds no more than the socket sees; who reads slowly is told later."""

    def __init__(self, tells: Callable[[int], bool]) -> None:
        # Whether a user tells when he was last there: else he doesn't get to see it of others.
        self._tells = tells
        self._outboxes: dict[Connection, _Outbox] = {}
        self._loop = asyncio.get_running_loop()

    def note(self, connection: Connection, person: Person) -> None:
        """The socket is to be told how the person is."""
        outbox = self._outboxes.get(connection)
        if outbox is None:
            outbox = self._outboxes[connection] = _Outbox()
        outbox.people[person] = None
        if outbox.timer is None:
            self._schedule(connection, outbox)

    def forget(self, connection: Connection) -> None:
        """The socket is gone."""
        outbox = self._outboxes.pop(connection, None)
        if outbox is not None and outbox.timer is not None:
            outbox.timer.cancel()

    def stop(self) -> None:
        """Tells nobody any more."""
        for connection in list(self._outboxes):
            self.forget(connection)

    def _schedule(self, connection: Connection, outbox: _Outbox) -> None:
        wait_s = outbox.next_at - self._loop.time()
        if wait_s > 0:
            outbox.timer = self._loop.call_later(wait_s, self._flush, connection, outbox)
        else:
            # With all that this turn brings.
            outbox.timer = self._loop.call_soon(self._flush, connection, outbox)

    def _flush(self, connection: Connection, outbox: _Outbox) -> None:
        outbox.timer = None
        outbox.next_at = self._loop.time() + INTERVAL_S
        if connection.buffered <= MAX_BUFFERED_EPHEMERAL_BYTES:
            people = list(islice(outbox.people, USERS_PER_FRAME))
            for person in people:
                del outbox.people[person]
            self._write(connection, [person for person in people if person.is_seen_by(connection)])
        if outbox.people:
            self._schedule(connection, outbox)

    def _write(self, connection: Connection, people: list[Person]) -> None:
        if not people:
            return
        with_seen = self._tells(connection.user_id)
        if len(people) == 1:
            frame = people[0].frame(with_seen=with_seen)
        else:
            rows = b",".join([person.row(with_seen=with_seen) for person in people])
            frame = b'{"type":"%b","users":[%b]}' % (events.PRESENCE_BATCH.encode(), rows)
        PRESENCE_FRAMES.inc()
        connection.write_ephemeral(text_frame(frame))
