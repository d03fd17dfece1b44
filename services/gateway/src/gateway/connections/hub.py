"""Keeps all users and rooms of this worker, and fans frames out to their sockets.

All events that a room gets in one turn of the event loop are joined once and written once per socket.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable
from typing import Final, NamedTuple

from gateway.connections.connection import Connection
from gateway.connections.framing import text_frame
from gateway.connections.ordered_stream import OrderedStream
from gateway.connections.rate_limits import TokenBucket
from gateway.metrics import CONNECTIONS, DELIVERIES, DELIVERY_TIME
from messenger_shared.contract.events import Event

# No event is under way for longer. A larger difference means that a clock was set, here or at the sender.
DELIVERY_LIMIT_S: Final = 60.0

# Conversation id, its last pos, and the pos at which the user came back to it; 0 if they never left it.
Membership = tuple[str, int, int]


class Room:
    """One conversation that has a member on this worker."""

    __slots__ = ("id", "members", "outbox", "outbox_since", "ready", "replaying", "stream", "viewers")

    def __init__(self, id_: str) -> None:
        self.id = id_
        self.stream = OrderedStream()
        self.members: dict[int, Member] = {}
        # Sockets that view the conversation. None until the first: an empty set has 216 bytes, and most
        # sockets are idle.
        self.viewers: set[Connection] | None = None
        # Sockets that get a replay. They get no live frames until it ends.
        self.replaying: set[Connection] | None = None
        self.outbox: list[bytes] = []
        # When the first frame of `outbox` was published on the bus; 0 if it didn't come from the bus.
        self.outbox_since = 0.0
        # Done when the room is subscribed and its stream has begun; None until that starts.
        self.ready: asyncio.Future[None] | None = None


class Arrival(NamedTuple):
    """A socket that is about to be opened. Arrivals sort by time, across all gateways."""

    at_ns: int
    id: str


class Member:
    """One user with sockets on this worker. The sockets share the rooms and the message rate limit."""

    __slots__ = (
        "arrivals",
        "connections",
        "is_live",
        "loading",
        "message_limit",
        "ref_count",
        "rejoins",
        "removals",
        "rooms",
        "user_id",
    )

    def __init__(self, user_id: int, message_limit: TokenBucket) -> None:
        self.user_id = user_id
        self.connections: list[Connection] = []
        self.rooms: dict[str, Room] = {}
        self.message_limit = message_limit
        # Conversation id -> pos of the last removal that this worker knows. Memberships that were read before
        # that pos are out of date.
        self.removals: dict[str, int] = {}
        # Conversation id -> pos at which the user came back. They may not see everything from before.
        self.rejoins: dict[str, int] = {}
        self.arrivals: list[Arrival] = []
        # The number of sockets that are open or being opened. At 0 the member leaves the hub.
        self.ref_count = 0
        # Whether the user's rooms are live.
        self.is_live = False
        # Done when the rooms that are new to this worker are live, with the other memberships; None when
        # nothing is under way.
        self.loading: asyncio.Future[list[Membership]] | None = None

    def note_removal(self, conversation_id: str, pos: int) -> None:
        """Notes a removal from the conversation at `pos`. An earlier removal may be reported again later."""
        self.removals[conversation_id] = max(pos, self.removals.get(conversation_id, 0))

    def count_before(self, arrival: Arrival) -> int:
        """The number of the user's sockets on this worker, open or arriving, that came before `arrival`."""
        return len(self.connections) + sum(other < arrival for other in self.arrivals)


class Hub:
    """Every member and every room of this worker."""

    def __init__(self) -> None:
        self.members: dict[int, Member] = {}
        self.rooms: dict[str, Room] = {}
        # Set while no socket is open.
        self.empty = asyncio.Event()
        self.empty.set()
        self.socket_count = 0
        self._dirty_rooms: list[Room] = []
        self._with_replies: list[Connection] = []
        self._is_flush_scheduled = False
        self._loop = asyncio.get_running_loop()

    def connections(self) -> list[Connection]:
        """Every open socket."""
        return [c for member in self.members.values() for c in member.connections]

    def attach(self, member: Member, connection: Connection) -> None:
        """Adds an open socket to its member."""
        member.connections.append(connection)
        self.socket_count += 1
        self.empty.clear()
        CONNECTIONS.inc()

    def detach(self, member: Member, connection: Connection) -> None:
        """Removes a socket that is gone."""
        member.connections.remove(connection)
        self.socket_count -= 1
        if not self.socket_count:
            self.empty.set()
        CONNECTIONS.dec()

    def join(self, member: Member, room: Room) -> None:
        """Adds a member to a room: their sockets get its events from now on, and none from before."""
        if room.outbox:
            self.flush()
        member.rooms[room.id] = room
        room.members[member.user_id] = member

    def leave(self, member: Member, room: Room) -> None:
        """Removes a member from a room. Their sockets still get the events that were emitted before."""
        if room.outbox:
            self.flush()
        member.rooms.pop(room.id, None)
        # If the user has reconnected meanwhile, the room holds a newer Member of the same user.
        if room.members.get(member.user_id) is member:
            del room.members[member.user_id]

    def view(self, connection: Connection, room: Room) -> None:
        """Starts a view: the socket gets the room's ephemeral frames."""
        if connection.viewing is None:
            connection.viewing = set()
        connection.viewing.add(room.id)
        if room.viewers is None:
            room.viewers = set()
        room.viewers.add(connection)

    def unview(self, connection: Connection, conversation_id: str) -> None:
        """Ends a view. Safe to repeat."""
        room = self.rooms.get(conversation_id)
        if room is not None and room.viewers is not None:
            room.viewers.discard(connection)
        if connection.viewing is not None:
            connection.viewing.discard(conversation_id)

    def emit(self, room: Room, events: Iterable[Event]) -> None:
        """Queues durable events, already in order, for every socket of every member."""
        events = list(events)
        frames = [text_frame(event.frame) for event in events]
        if not frames:
            return
        if not room.outbox:
            room.outbox_since = events[0].at
            self._dirty_rooms.append(room)
            self._schedule_flush()
        room.outbox += frames

    def emit_to(self, member: Member, event: Event) -> None:
        """Sends a frame to every socket of one user."""
        data = text_frame(event.frame)
        for connection in member.connections:
            connection.write(data)

    def flush_later(self, connection: Connection) -> None:
        """Has the socket flushed at the end of this turn."""
        self._with_replies.append(connection)
        self._schedule_flush()

    def _schedule_flush(self) -> None:
        if not self._is_flush_scheduled:
            self._is_flush_scheduled = True
            self._loop.call_soon(self._end_turn)

    def _end_turn(self) -> None:
        self._is_flush_scheduled = False
        self.flush()
        connections, self._with_replies = self._with_replies, []
        for connection in connections:
            connection.flush()

    def flush(self) -> None:
        """Writes the events queued in this turn so far, each socket's waiting replies with them."""
        rooms, self._dirty_rooms = self._dirty_rooms, []
        deliveries, oldest = 0, math.inf
        for room in rooms:
            frames, room.outbox = room.outbox, []
            data = frames[0] if len(frames) == 1 else b"".join(frames)
            reached = 0
            for member in room.members.values():
                for connection in member.connections:
                    if not room.replaying or connection not in room.replaying:
                        connection.write(data)
                    reached += 1
            deliveries += reached * len(frames)
            if room.outbox_since and reached:
                oldest = min(oldest, room.outbox_since)
        DELIVERIES.inc(deliveries)
        # Once per turn, because an `observe` costs 2.7 µs and a whole message about 70.
        if oldest < math.inf:
            took = max(0.0, time.time() - oldest)
            if took < DELIVERY_LIMIT_S:
                DELIVERY_TIME.observe(took)

    def emit_ephemeral(self, room: Room, event: Event) -> None:
        """Sends a frame to the room's viewers, except to the sockets of the user that it is about."""
        if room.outbox:
            # The durable events that came before this frame go out before it.
            self.flush()
        data = text_frame(event.frame)
        for connection in room.viewers or ():
            if connection.user_id != event.user_id:
                connection.write_ephemeral(data)
