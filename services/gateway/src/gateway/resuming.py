"""Owns bringing a client that was away to where a conversation stands: from what this worker still has, or
from chat-api, and in the meantime live frames wait."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from gateway.connection import MAX_BUFFERED_BYTES, Connection
from gateway.framing import text_frame
from gateway.hub import Hub, Member, Room
from gateway.replay import latest, marked
from gateway.rooms import Rooms
from messenger_shared import errors
from messenger_shared.errors import AppError
from messenger_shared.events import Event

PACE_BYTES: Final = 256 * 1024
PACE_S: Final = 0.02
PATIENCE_S: Final = 60.0


class Outcome(NamedTuple):
    """Where the client stands now, and whether everything up to there was replayed."""

    to: int
    recovered: bool


class Resuming:
    """Replays what sockets missed. A replay never makes a socket too slow: it goes at the reader's pace."""

    def __init__(self, hub: Hub, rooms: Rooms, max_events: int) -> None:
        self._hub = hub
        self._rooms = rooms
        self._max_events = max_events
        # Clients that come back together ask the same: (conversation, pos, user or 0) -> the one question.
        self._asked: dict[tuple[str, int, int], asyncio.Future[tuple[list[Event], int]]] = {}

    @contextmanager
    def holding(self, connection: Connection, room: Room | None) -> Iterator[None]:
        """Within, the socket gets no live frames of the room; `catch_up` brings what they were."""
        if room is None:
            yield
            return
        self._hub.flush()
        if room.holding is None:
            room.holding = set()
        room.holding.add(connection)
        try:
            yield
        finally:
            room.holding.discard(connection)

    async def catch_up(self, connection: Connection, member: Member, room: Room, after_pos: int) -> Outcome:
        """Replays what changed above `after_pos`, within `holding`; the next live frame follows on it.

        Raises AppError when chat-api doesn't answer, or not_found when the user is removed meanwhile.
        """
        missed = await self._missed(member, room, after_pos)
        # Who was removed meanwhile has had the event that says so, and it is the last.
        _require_in(member, room)
        if missed is not None:
            events, to = missed
            is_written = await self._write(connection, marked(events))
            _require_in(member, room)
            if is_written and self._follow_on(connection, room, to):
                return Outcome(max(to, room.stream.last_pos), True)
        self._hub.flush()
        return Outcome(room.stream.last_pos, False)

    async def _missed(self, member: Member, room: Room, after_pos: int) -> tuple[list[Event], int] | None:
        """The latest states above `after_pos` and where they end; None when it is too much or no such pos."""
        if after_pos > room.stream.last_pos:
            head = (await self._rooms.heads([room.id])).get(room.id, 0)
            if after_pos > head:
                return None
            # Seen at another gateway already; what comes here again, the client drops.
            self._rooms.expect(room, head)
            return [], after_pos
        returned = member.returns.get(room.id, 0)
        kept = room.stream.since(after_pos) if after_pos >= returned else None
        if kept is not None:
            return (latest(kept), room.stream.last_pos) if len(kept) <= self._max_events else None
        standing = room.stream.last_pos
        events, to = await self._ask(room, after_pos, member.user_id if after_pos < returned else 0)
        # An answer that ends before that was cut.
        return (events, to) if to >= standing and len(events) <= self._max_events else None

    async def _ask(self, room: Room, after_pos: int, user_id: int) -> tuple[list[Event], int]:
        key = (room.id, after_pos, user_id)
        asked = self._asked.get(key)
        if asked is None:
            asked = self._asked[key] = asyncio.ensure_future(self._rooms.changes(room.id, after_pos, user_id))
            asked.add_done_callback(
                lambda done: (self._asked.pop(key) and done.cancelled()) or done.exception()
            )
        return await asyncio.shield(asked)

    async def _write(self, connection: Connection, frames: Sequence[bytes]) -> bool:
        """Writes as the reader takes it; False when it is more than a socket may have waiting."""
        if sum(map(len, frames)) > MAX_BUFFERED_BYTES:
            return False
        for frame in frames:
            if connection.buffered > PACE_BYTES:
                await _until_read(connection)
            connection.write(text_frame(frame))
        return True

    def _follow_on(self, connection: Connection, room: Room, to: int) -> bool:
        """Brings what was live meanwhile; False when some of it isn't known here any more."""
        self._hub.flush()
        since = room.stream.since(to) if to <= room.stream.last_pos else []
        for event in since or ():
            connection.write(text_frame(event.frame))
        return since is not None


async def _until_read(connection: Connection) -> None:
    """Raises AppError(timeout) when the client reads nothing for a long time."""
    for _ in range(round(PATIENCE_S / PACE_S)):
        if connection.buffered <= PACE_BYTES or connection.closing is not None:
            return
        await asyncio.sleep(PACE_S)
    raise AppError(errors.TIMEOUT)


def _require_in(member: Member, room: Room) -> None:
    if member.rooms.get(room.id) is not room:
        raise AppError(errors.NOT_FOUND)
