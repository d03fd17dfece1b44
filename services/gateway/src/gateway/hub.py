"""Owns who is here: users with their sockets, conversations with their users, and sending one frame to many.

What one turn of the event loop brings for a conversation is joined once and leaves as one write per socket.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable
from typing import NamedTuple

from gateway.connection import Connection
from gateway.framing import text_frame
from gateway.limits import Bucket
from gateway.metrics import CONNECTIONS, DELIVERIES, DELIVERY_TIME
from gateway.stream import Stream
from messenger_shared.events import Event


class Room:
    """One conversation with a member on this worker."""

    __slots__ = ("holding", "id", "members", "outbox", "ready", "since", "stream", "viewers")

    def __init__(self, id_: str) -> None:
        self.id = id_
        self.stream = Stream()
        self.members: dict[int, Member] = {}
        # An empty set has 216 bytes, and most sockets are idle: made when it is needed.
        self.viewers: set[Connection] | None = None
        # Sockets that are being brought up to date, and get no live frames until they are.
        self.holding: set[Connection] | None = None
        self.outbox: list[bytes] = []
        # When the first of them was put on the bus; 0 if it came another way.
        self.since = 0.0
        # Set while this worker finds out where the conversation stands.
        self.ready: asyncio.Future[None] | None = None


class Arrival(NamedTuple):
    """A socket that is about to be opened; the earlier one comes first, wherever it arrives."""

    at_ns: int
    id: str


class Member:
    """One user with sockets on this worker; all of them share the rooms and the allowance of messages."""

    __slots__ = (
        "arrivals",
        "arrived",
        "claims",
        "connections",
        "messages",
        "ready",
        "removals",
        "returns",
        "rooms",
        "user_id",
    )

    def __init__(self, user_id: int, messages: Bucket) -> None:
        self.user_id = user_id
        self.connections: list[Connection] = []
        self.rooms: dict[str, Room] = {}
        self.messages = messages
        # Conversation -> pos of the last removal that this worker was told of: memberships that were read
        # before it are out of date.
        self.removals: dict[str, int] = {}
        # Conversation -> pos at which he came back: what was before is not for all of his eyes.
        self.returns: dict[str, int] = {}
        self.arrivals: list[Arrival] = []
        # Sockets that are here or on their way; the last one to go takes the member along.
        self.claims = 0
        # Whether it is known where the user is a member; `ready` is set while that is being found out.
        self.arrived = False
        self.ready: asyncio.Future[None] | None = None

    def note_removal(self, conversation_id: str, pos: int) -> None:
        """He was taken out of the conversation at `pos`; an earlier time may be told again later."""
        self.removals[conversation_id] = max(pos, self.removals.get(conversation_id, 0))

    def count_before(self, arrival: Arrival) -> int:
        """How many sockets he has here, open or about to be, that came before this one."""
        return len(self.connections) + sum(other < arrival for other in self.arrivals)


class Hub:
    """Every member and every room of this worker."""

    def __init__(self) -> None:
        self.members: dict[int, Member] = {}
        self.rooms: dict[str, Room] = {}
        # Set while there is no socket.
        self.empty = asyncio.Event()
        self.empty.set()
        self.sockets = 0
        self._dirty: list[Room] = []
        self._replied: list[Connection] = []
        self._is_due = False
        self._loop = asyncio.get_running_loop()

    def connections(self) -> list[Connection]:
        """Every open socket."""
        return [c for member in self.members.values() for c in member.connections]

    def attach(self, member: Member, connection: Connection) -> None:
        """From now on the socket gets what its user gets."""
        member.connections.append(connection)
        self.sockets += 1
        self.empty.clear()
        CONNECTIONS.inc()

    def detach(self, member: Member, connection: Connection) -> None:
        """The socket is gone."""
        member.connections.remove(connection)
        self.sockets -= 1
        if not self.sockets:
            self.empty.set()
        CONNECTIONS.dec()

    def join(self, member: Member, room: Room) -> None:
        """The user's sockets get the conversation's events from now on, and none from before."""
        if room.outbox:
            self.flush()
        member.rooms[room.id] = room
        room.members[member.user_id] = member

    def leave(self, member: Member, room: Room) -> None:
        """They don't any more, once they have what was emitted before."""
        if room.outbox:
            self.flush()
        member.rooms.pop(room.id, None)
        # The user may be here anew, as another member, while the old one is still being cleared away.
        if room.members.get(member.user_id) is member:
            del room.members[member.user_id]

    def view(self, connection: Connection, room: Room) -> None:
        """The socket looks at the conversation and gets its ephemeral frames."""
        if connection.viewing is None:
            connection.viewing = set()
        connection.viewing.add(room.id)
        if room.viewers is None:
            room.viewers = set()
        room.viewers.add(connection)

    def unview(self, connection: Connection, conversation_id: str) -> None:
        """It looks away."""
        room = self.rooms.get(conversation_id)
        if room is not None and room.viewers is not None:
            room.viewers.discard(connection)
        if connection.viewing is not None:
            connection.viewing.discard(conversation_id)

    def emit(self, room: Room, events: Iterable[Event]) -> None:
        """Sends durable events, already in order, to every socket of every member."""
        events = list(events)
        frames = [text_frame(event.frame) for event in events]
        if not frames:
            return
        if not room.outbox:
            room.since = events[0].at
            self._dirty.append(room)
            self._make_due()
        room.outbox += frames

    def emit_to(self, member: Member, event: Event) -> None:
        """Sends a frame to every socket of one user."""
        data = text_frame(event.frame)
        for connection in member.connections:
            connection.write(data)

    def note(self, connection: Connection) -> None:
        """The socket has replies to write at the end of this turn."""
        self._replied.append(connection)
        self._make_due()

    def _make_due(self) -> None:
        if not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._end_turn)

    def _end_turn(self) -> None:
        self._is_due = False
        self.flush()
        replied, self._replied = self._replied, []
        for connection in replied:
            connection.flush()

    def flush(self) -> None:
        """Writes the events that this turn has brought so far, each socket's replies with them."""
        dirty, self._dirty = self._dirty, []
        deliveries, oldest = 0, math.inf
        for room in dirty:
            frames, room.outbox = room.outbox, []
            data = frames[0] if len(frames) == 1 else b"".join(frames)
            reached = 0
            for member in room.members.values():
                for connection in member.connections:
                    if not room.holding or connection not in room.holding:
                        connection.write(data)
                    reached += 1
            deliveries += reached * len(frames)
            if room.since and reached:
                oldest = min(oldest, room.since)
        DELIVERIES.inc(deliveries)
        # Once a turn: to observe costs 2.7 µs, and a message about 70.
        if oldest < math.inf:
            DELIVERY_TIME.observe(max(0.0, time.time() - oldest))

    def emit_ephemeral(self, room: Room, event: Event) -> None:
        """Sends a frame to whoever looks at the room, but for the sockets of the user whom it is about."""
        if room.outbox:
            # What came before it goes out before it.
            self.flush()
        data = text_frame(event.frame)
        for connection in room.viewers or ():
            if connection.user_id != event.user_id:
                connection.write_ephemeral(data)
