"""Owns telling sockets how people are: at once after a quiet second, else gathered, one frame a second."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Final

from gateway.connection import MAX_BUFFERED_EPHEMERAL_BYTES, Connection
from gateway.framing import text_frame
from gateway.metrics import PRESENCE_FRAMES
from gateway.sight import Person, Sight
from messenger_shared import events

# More than a second: on the way to a client, what follows may catch up with what was before.
INTERVAL_S: Final = 1.1
# And how much more for some, so that sockets which were told at once are not told at once again.
SPREAD_S: Final = 0.2
# How often all who look at a conversation are gone through at most.
WAKE_S: Final = 0.1
USERS_PER_FRAME: Final = 100
FLUSHED_AT_ONCE: Final = 2


class _Outbox:
    """What one socket is still to be told: of people whom it watches, and of conversations with news."""

    __slots__ = ("next_at", "people", "sights", "timer")

    def __init__(self) -> None:
        self.people: dict[Person, None] = {}
        self.sights: dict[Sight, None] = {}
        self.next_at = 0.0
        self.timer: asyncio.Handle | None = None

    def take(self, connection: Connection) -> list[Person]:
        """The people of the next frame: of each how he is then is what counts."""
        noted = list(islice(self.people, USERS_PER_FRAME))
        for person in noted:
            del self.people[person]
        taken = dict.fromkeys(person for person in noted if person.is_seen_by(connection))
        for sight in list(self.sights):
            free = USERS_PER_FRAME - len(taken)
            if free and len(news := sight.news(connection, free)) < free:
                del self.sights[sight]
            taken |= dict.fromkeys(news if free else ())
        # He himself knows.
        return [person for person in taken if person.user_id != connection.user_id]


class Telling:
    """An outbox per socket, which holds no more than the socket sees; who reads slowly is told later."""

    def __init__(self, tells: Callable[[int], bool]) -> None:
        # Whether a user tells when he was last there: else he doesn't get to see it of others.
        self._tells = tells
        self._outboxes: dict[Connection, _Outbox] = {}
        self._waking: dict[Sight, asyncio.Handle] = {}
        self._due: deque[tuple[Connection, _Outbox]] = deque()
        self._loop = asyncio.get_running_loop()

    def note(self, connection: Connection, person: Person) -> None:
        """The socket is to be told how the person is."""
        outbox = self._outbox(connection)
        outbox.people[person] = None
        self._schedule(connection, outbox)

    def log(self, sight: Sight, person: Person) -> None:
        """All who look at the conversation are to be told how the person is."""
        sight.log(person)
        if sight not in self._waking:
            self._waking[sight] = self._loop.call_soon(self._wake, sight)

    def forget(self, connection: Connection) -> None:
        """The socket is gone."""
        outbox = self._outboxes.pop(connection, None)
        if outbox is not None and outbox.timer is not None:
            outbox.timer.cancel()

    def stop(self) -> None:
        """Tells nobody any more."""
        for connection in list(self._outboxes):
            self.forget(connection)
        for handle in self._waking.values():
            handle.cancel()

    def _wake(self, sight: Sight) -> None:
        """Has the listeners look; after that not at once again, for they are many."""
        logged = sight.last
        for connection, told in sight.listeners.items():
            if told is not None and told < logged:
                outbox = self._outbox(connection)
                outbox.sights[sight] = None
                self._schedule(connection, outbox)
        self._waking[sight] = self._loop.call_later(WAKE_S, self._wake_again, sight, logged)

    def _wake_again(self, sight: Sight, logged: int) -> None:
        del self._waking[sight]
        if sight.last > logged:
            self._wake(sight)

    def _outbox(self, connection: Connection) -> _Outbox:
        outbox = self._outboxes.get(connection)
        if outbox is None:
            outbox = self._outboxes[connection] = _Outbox()
        return outbox

    def _schedule(self, connection: Connection, outbox: _Outbox) -> None:
        if outbox.timer is not None:
            return
        wait_s = outbox.next_at - self._loop.time()
        if wait_s > 0:
            outbox.timer = self._loop.call_later(wait_s, self._enqueue, connection, outbox)
        else:
            # With all that this turn brings.
            outbox.timer = self._loop.call_soon(self._enqueue, connection, outbox)

    def _enqueue(self, connection: Connection, outbox: _Outbox) -> None:
        if not self._due:
            self._loop.call_soon(self._flush_some)
        self._due.append((connection, outbox))

    def _flush_some(self) -> None:
        """Some in each turn of the loop: presence is the last that may hold up a message."""
        some = [self._due.popleft() for _ in range(min(FLUSHED_AT_ONCE, len(self._due)))]
        if self._due:
            self._loop.call_soon(self._flush_some)
        for connection, outbox in some:
            self._flush(connection, outbox)

    def _flush(self, connection: Connection, outbox: _Outbox) -> None:
        outbox.timer = None
        if self._outboxes.get(connection) is not outbox:
            return
        if connection.buffered > MAX_BUFFERED_EPHEMERAL_BYTES:
            outbox.next_at = self._loop.time() + INTERVAL_S
        elif people := outbox.take(connection):
            outbox.next_at = self._loop.time() + INTERVAL_S + random.random() * SPREAD_S
            self._write(connection, people)
        if outbox.people or outbox.sights:
            self._schedule(connection, outbox)

    def _write(self, connection: Connection, people: list[Person]) -> None:
        with_seen = self._tells(connection.user_id)
        if len(people) == 1:
            frame = people[0].frame(with_seen=with_seen)
        else:
            rows = b",".join([person.row(with_seen=with_seen) for person in people])
            frame = b'{"type":"%b","users":[%b]}' % (events.PRESENCE_BATCH.encode(), rows)
        PRESENCE_FRAMES.inc()
        connection.write_ephemeral(text_frame(frame))
