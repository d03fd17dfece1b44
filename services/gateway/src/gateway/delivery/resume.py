"""Brings a client that was away up to date, from the ring of the conversation or from chat-api.

The conversation's live frames wait until the replay has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from gateway.connections.connection import MAX_BUFFERED_BYTES, Connection
from gateway.connections.framing import text_frame
from gateway.connections.hub import Hub, Member, Room
from gateway.delivery.replay import latest_states, replay_frames
from gateway.delivery.rooms import Rooms
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.events import Event

PAUSE_ABOVE_BYTES: Final = 256 * 1024
POLL_S: Final = 0.02
READ_TIMEOUT_S: Final = 60.0


class ReplayResult(NamedTuple):
    """The pos that the client is at now, and whether everything up to it was replayed."""

    to: int
    recovered: bool


class Resumer:
    """Replays what sockets missed, at the client's reading pace, so that no replay overflows a buffer."""

    def __init__(self, hub: Hub, rooms: Rooms, max_events: int) -> None:
        self._hub = hub
        self._rooms = rooms
        self._max_events = max_events
        # (conversation id, pos, user id or 0) -> the request under way, shared by clients that ask the same.
        self._requests: dict[tuple[str, int, int], asyncio.Future[tuple[list[Event], int]]] = {}

    @contextmanager
    def holding_live_frames(self, connection: Connection, room: Room | None) -> Iterator[None]:
        """While the context is open, the socket gets no live frames of the room; `catch_up` sends them."""
        if room is None:
            yield
            return
        self._hub.flush()
        if room.replaying is None:
            room.replaying = set()
        room.replaying.add(connection)
        try:
            yield
        finally:
            room.replaying.discard(connection)

    async def catch_up(
        self, connection: Connection, member: Member, room: Room, after_pos: int
    ) -> ReplayResult:
        """Replays the changes above `after_pos`. Call it within `holding_live_frames`: they go out after it.

        Raises AppError if chat-api doesn't answer, and not_found if the user is removed meanwhile.
        """
        removed = member.removals.get(room.id, 0)
        missed = await self._find_missed(member, room, after_pos)
        self._require_not_removed(connection, member, room, removed)
        if missed is not None:
            events, to = missed
            is_written = await self._write_paced(connection, replay_frames(events))
            self._require_not_removed(connection, member, room, removed)
            if is_written and self._send_live_events(connection, room, to):
                return ReplayResult(max(to, room.stream.last_pos), True)
        self._hub.flush()
        return ReplayResult(room.stream.last_pos, False)

    def _require_not_removed(self, connection: Connection, member: Member, room: Room, removed: int) -> None:
        """Raises AppError(not_found) if the user was removed after the removal at `removed`.

        They already have that event, and nothing of the replay may follow it. If they are back, what has been
        live since their return follows, so that they ask again.
        """
        is_member = member.rooms.get(room.id) is room
        if is_member and member.removals.get(room.id, 0) == removed:
            return
        if is_member:
            returned = member.rejoins.get(room.id, room.stream.last_pos + 1)
            self._send_live_events(connection, room, returned - 1)
        raise AppError(errors.NOT_FOUND)

    async def _find_missed(
        self, member: Member, room: Room, after_pos: int
    ) -> tuple[list[Event], int] | None:
        """The latest states above `after_pos`, and the pos they reach; None if too many or no such pos."""
        if after_pos > room.stream.last_pos:
            latest_pos = (await self._rooms.last_positions([room.id])).get(room.id, 0)
            if after_pos > latest_pos:
                return None
            # The client saw these events at another gateway. It drops those that come here again.
            self._rooms.expect(room, latest_pos)
            return [], after_pos
        returned = member.rejoins.get(room.id, 0)
        kept = room.stream.released_above(after_pos) if after_pos >= returned else None
        if kept is not None:
            return (latest_states(kept), room.stream.last_pos) if len(kept) <= self._max_events else None
        last_pos = room.stream.last_pos
        events, to = await self._fetch_changes(room, after_pos, member.user_id if after_pos < returned else 0)
        # chat-api cut an answer that ends below `last_pos`.
        return (events, to) if to >= last_pos and len(events) <= self._max_events else None

    async def _fetch_changes(self, room: Room, after_pos: int, user_id: int) -> tuple[list[Event], int]:
        key = (room.id, after_pos, user_id)
        request = self._requests.get(key)
        if request is None:
            request = self._requests[key] = asyncio.ensure_future(
                self._rooms.fetch_changes(room.id, after_pos, user_id)
            )
            request.add_done_callback(
                lambda done: (self._requests.pop(key) and done.cancelled()) or done.exception()
            )
        return await asyncio.shield(request)

    async def _write_paced(self, connection: Connection, frames: Sequence[bytes]) -> bool:
        """Writes at the client's reading pace. Returns False if the frames exceed a socket's buffer."""
        if sum(map(len, frames)) > MAX_BUFFERED_BYTES:
            return False
        for frame in frames:
            if connection.buffered > PAUSE_ABOVE_BYTES:
                await _wait_until_read(connection)
            connection.write(text_frame(frame))
        return True

    def _send_live_events(self, connection: Connection, room: Room, to: int) -> bool:
        """Sends the events that were live meanwhile. Returns False if the ring lacks some of them."""
        self._hub.flush()
        since = room.stream.released_above(to) if to <= room.stream.last_pos else []
        for event in since or ():
            connection.write(text_frame(event.frame))
        return since is not None


async def _wait_until_read(connection: Connection) -> None:
    """Waits until the buffer is small enough. Raises AppError(timeout) after READ_TIMEOUT_S."""
    for _ in range(round(READ_TIMEOUT_S / POLL_S)):
        if connection.buffered <= PAUSE_ABOVE_BYTES or connection.closing is not None:
            return
        await asyncio.sleep(POLL_S)
    raise AppError(errors.TIMEOUT)
