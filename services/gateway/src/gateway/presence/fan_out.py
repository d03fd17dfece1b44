"""Writes presence frames to sockets: at once after a quiet second, else gathered into one frame a second."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Final

from gateway.connections.connection import MAX_BUFFERED_EPHEMERAL_BYTES, Connection
from gateway.connections.framing import text_frame
from gateway.metrics import PRESENCE_FRAMES
from gateway.presence.entries import UserPresence, ViewedConversation
from messenger_shared.contract import events

# More than a second, because a frame may catch up with the one before it on the way to the client.
FRAME_INTERVAL_S: Final = 1.1
# A random addition, so that sockets which got a frame together don't get the next one together.
JITTER_S: Final = 0.2
# The shortest time between two passes over all listeners of one conversation.
PASS_INTERVAL_S: Final = 0.1
USERS_PER_FRAME: Final = 100
FLUSHES_PER_TURN: Final = 2


class _Outbox:
    """What one socket hasn't been sent yet: users that it watches, and viewed conversations with changes."""

    __slots__ = ("next_at", "timer", "users", "viewed_in")

    def __init__(self) -> None:
        self.users: dict[UserPresence, None] = {}
        self.viewed_in: dict[ViewedConversation, None] = {}
        self.next_at = 0.0
        self.timer: asyncio.Handle | None = None

    def take(self, connection: Connection) -> list[UserPresence]:
        """Takes the users of the next frame, which has their state at the time of writing."""
        watched = list(islice(self.users, USERS_PER_FRAME))
        for user in watched:
            del self.users[user]
        taken = dict.fromkeys(user for user in watched if user.is_seen_by(connection))
        for viewed in list(self.viewed_in):
            free = USERS_PER_FRAME - len(taken)
            if free and len(changed := viewed.take_unsent(connection, free)) < free:
                del self.viewed_in[viewed]
            taken |= dict.fromkeys(changed if free else ())
        # The socket's own user knows already.
        return [user for user in taken if user.user_id != connection.user_id]


class PresenceFanOut:
    """An outbox per socket, bounded by the users that the socket sees. Slow readers get theirs later."""

    def __init__(self, shows_last_seen: Callable[[int], bool]) -> None:
        # Whether a user shows when they were last there. A user who hides it doesn't see it of others.
        self._shows_last_seen = shows_last_seen
        self._outboxes: dict[Connection, _Outbox] = {}
        self._passes: dict[ViewedConversation, asyncio.Handle] = {}
        self._flush_queue: deque[tuple[Connection, _Outbox]] = deque()
        self._loop = asyncio.get_running_loop()

    def queue(self, connection: Connection, user: UserPresence) -> None:
        """Has the user's state sent to the socket."""
        outbox = self._outbox(connection)
        outbox.users[user] = None
        self._schedule(connection, outbox)

    def queue_for_viewers(self, viewed: ViewedConversation, user: UserPresence) -> None:
        """Has the user's state sent to all sockets that view the conversation."""
        viewed.log_change(user)
        if viewed not in self._passes:
            self._passes[viewed] = self._loop.call_soon(self._schedule_listeners, viewed)

    def drop(self, connection: Connection) -> None:
        """Drops the outbox of a socket that is gone."""
        outbox = self._outboxes.pop(connection, None)
        if outbox is not None and outbox.timer is not None:
            outbox.timer.cancel()

    def stop(self) -> None:
        """Drops all outboxes."""
        for connection in list(self._outboxes):
            self.drop(connection)
        for handle in self._passes.values():
            handle.cancel()

    def _schedule_listeners(self, viewed: ViewedConversation) -> None:
        """Schedules every listener with unsent changes. Waits PASS_INTERVAL_S before the next pass."""
        logged = viewed.last_number
        for connection, sent in viewed.listeners.items():
            if sent is not None and sent < logged:
                outbox = self._outbox(connection)
                outbox.viewed_in[viewed] = None
                self._schedule(connection, outbox)
        self._passes[viewed] = self._loop.call_later(PASS_INTERVAL_S, self._end_pass, viewed, logged)

    def _end_pass(self, viewed: ViewedConversation, logged: int) -> None:
        del self._passes[viewed]
        if viewed.last_number > logged:
            self._schedule_listeners(viewed)

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
            # At the end of the turn, so that the frame has all changes of this turn.
            outbox.timer = self._loop.call_soon(self._enqueue, connection, outbox)

    def _enqueue(self, connection: Connection, outbox: _Outbox) -> None:
        if not self._flush_queue:
            self._loop.call_soon(self._flush_some)
        self._flush_queue.append((connection, outbox))

    def _flush_some(self) -> None:
        """Flushes FLUSHED_AT_ONCE outboxes per turn of the loop, so that presence holds up no message."""
        some = [self._flush_queue.popleft() for _ in range(min(FLUSHES_PER_TURN, len(self._flush_queue)))]
        if self._flush_queue:
            self._loop.call_soon(self._flush_some)
        for connection, outbox in some:
            self._flush(connection, outbox)

    def _flush(self, connection: Connection, outbox: _Outbox) -> None:
        outbox.timer = None
        if self._outboxes.get(connection) is not outbox:
            return
        if connection.buffered > MAX_BUFFERED_EPHEMERAL_BYTES:
            outbox.next_at = self._loop.time() + FRAME_INTERVAL_S
        elif users := outbox.take(connection):
            outbox.next_at = self._loop.time() + FRAME_INTERVAL_S + random.random() * JITTER_S
            self._write(connection, users)
        if outbox.users or outbox.viewed_in:
            self._schedule(connection, outbox)

    def _write(self, connection: Connection, users: list[UserPresence]) -> None:
        with_seen = self._shows_last_seen(connection.user_id)
        if len(users) == 1:
            frame = users[0].frame(with_seen=with_seen)
        else:
            rows = b",".join([user.row(with_seen=with_seen) for user in users])
            frame = b'{"type":"%b","users":[%b]}' % (events.PRESENCE_BATCH.encode(), rows)
        PRESENCE_FRAMES.inc()
        connection.write_ephemeral(text_frame(frame))
