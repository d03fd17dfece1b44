"""Owns the conversations that this worker follows: each is listened to, put in order, and repaired."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from gateway.chores import Chores
from gateway.framing import text_frame
from gateway.hub import Hub, Member, Room
from gateway.metrics import HOLES
from gateway.stream import Memory
from gateway.watching import Watching
from messenger_shared import channels
from messenger_shared.bus import Bus
from messenger_shared.errors import AppError
from messenger_shared.events import (
    PARTICIPANT_ADDED,
    PARTICIPANT_REMOVED,
    TYPING_START,
    TYPING_STOP,
    Event,
    unpack,
)
from messenger_shared.operations import conversations
from messenger_shared.rpc_client import RpcClient

log = logging.getLogger(__name__)

HOLE_PATIENCE_S: Final = 0.02
REPAIR_RETRY_S: Final = 0.25
# So often chat-api may know of nothing where something was told of; then it is the one that is right.
FRUITLESS_FETCHES: Final = 3
HEADS_PER_REQUEST: Final = 500
_EPHEMERAL: Final = frozenset((TYPING_START, TYPING_STOP))


class Rooms:
    """Keeps rooms whole: subscription first, then where the conversation stands, then every hole."""

    def __init__(self, bus: Bus, rpc: RpcClient, hub: Hub, watching: Watching) -> None:
        self._bus = bus
        self._rpc = rpc
        self._hub = hub
        self._watching = watching
        self._memory = Memory()
        self._repairing: set[str] = set()
        self._chores = Chores("rooms")

    async def stop(self) -> None:
        """Gives up what is being repaired."""
        await self._chores.stop()

    def get(self, conversation_id: str) -> Room:
        """The room of a conversation, which may be new."""
        room = self._hub.rooms.get(conversation_id)
        if room is None:
            room = self._hub.rooms[conversation_id] = Room(conversation_id)
        return room

    def leave(self, member: Member, room: Room) -> None:
        """The member's sockets get nothing more of it; a room without members is no longer listened to."""
        self._hub.leave(member, room)
        for connection in member.connections:
            self._watching.left(connection, room.id)
            self._hub.unview(connection, room.id)
        if not room.members and self._hub.rooms.get(room.id) is room:
            del self._hub.rooms[room.id]
            self._memory.drop(room.stream)
            self._bus.unsubscribe([channels.conversation(room.id)])

    async def begin(self, rooms: Mapping[Room, int]) -> None:
        """Subscribes to new rooms, each known to stand at a pos before, and follows them from there.

        What is missed between the two shows by what comes after it, or by heads.
        """
        if not rooms:
            return
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        for room in rooms:
            room.ready = ready
        try:
            await self._bus.subscribe([channels.conversation(room.id) for room in rooms], self._on_payload)
            for room, pos in rooms.items():
                if room.id not in self._hub.rooms:
                    # All members left while it began.
                    self._bus.unsubscribe([channels.conversation(room.id)])
                    continue
                self._emit(room, room.stream.begin(pos))
                self.expect(room, pos)
            ready.set_result(None)
        except BaseException as error:
            for room in rooms:
                room.ready = None
            ready.set_exception(error if isinstance(error, AppError) else asyncio.CancelledError())
            ready.exception()
            raise

    def open_at(self, room: Room, pos: int) -> None:
        """A room that is new to this worker: what is above `pos` concerns its members."""
        self._emit(room, room.stream.begin(pos))
        if room.ready is None:
            self._chores.run(self._begin_new(room, pos))

    def offer(self, room: Room, event: Event) -> None:
        """A durable event of the room, by whatever way it came."""
        self._emit(room, room.stream.offer(event))
        self._check(room)

    def expect(self, room: Room, pos: int) -> None:
        """The conversation stands at `pos` at least."""
        room.stream.expect(pos)
        self._check(room)

    async def _begin_new(self, room: Room, pos: int) -> None:
        """Here something follows often, and at once: heads would tell of it too late."""
        await self.begin({room: pos})
        heads = await self.heads([room.id])
        self.expect(room, heads.get(room.id, 0))

    async def heads(self, ids: list[str]) -> dict[str, int]:
        """Where conversations stand."""
        heads: dict[str, int] = {}
        for start in range(0, len(ids), HEADS_PER_REQUEST):
            chunk = ids[start : start + HEADS_PER_REQUEST]
            heads |= await self._rpc.ask(
                conversations.HEADS.service,
                conversations.HEADS.name,
                {"conversation_ids": chunk},
                key=chunk[0],
            )
        return heads

    def _on_payload(self, payload: bytes) -> None:
        events = unpack(payload)
        room = self._hub.rooms.get(events[0].conversation_id) if events else None
        if room is None:
            return
        for event in events:
            if event.type in _EPHEMERAL:
                self._hub.emit_ephemeral(room, event)
            elif event.pos:
                self._emit(room, room.stream.offer(event))
            else:
                # Outside the order: read positions are absolute.
                self._hub.emit(room, [event])
        self._check(room)

    def _emit(self, room: Room, events: list[Event]) -> None:
        """Sends durable events in order. Who is added hears from that event on, who is removed up to it."""
        if not events:
            return
        self._memory.used(room.stream)
        start = 0
        for event in events:
            # Back already, though the removal was never seen here: what lies between is not for him.
            if event.type == PARTICIPANT_ADDED and (member := room.members.get(event.user_id)):
                self._hub.leave(member, room)
        for number, event in enumerate(events):
            if event.type == PARTICIPANT_ADDED:
                self._watching.came(room.id, event.user_id)
            if event.type == PARTICIPANT_ADDED and (member := self._hub.members.get(event.user_id)):
                self._hub.emit(room, events[start:number])
                start = number
                self._hub.join(member, room)
                member.returns[room.id] = event.pos
            elif event.type == PARTICIPANT_REMOVED:
                self._hub.emit(room, events[start : number + 1])
                start = number + 1
                self._expel(room, event)
        self._hub.emit(room, events[start:])

    def _expel(self, room: Room, event: Event) -> None:
        # Also one who is still on his way in: what was read of his memberships may be from before.
        if (arriving := self._hub.members.get(event.user_id)) is not None:
            arriving.note_removal(room.id, event.pos)
        member = room.members.get(event.user_id)
        if member is not None:
            self.leave(member, room)
            for connection in room.holding.intersection(member.connections) if room.holding else ():
                connection.write(text_frame(event.frame))
        self._watching.went(room.id, event.user_id, room.members)

    def _check(self, room: Room) -> None:
        if room.stream.incomplete and room.id not in self._repairing:
            self._repairing.add(room.id)
            self._chores.run(self._repair(room))

    async def _repair(self, room: Room) -> None:
        """Fetches what is missing, once for all sockets of this worker."""
        try:
            # Two chat-api workers may publish in the other order: most holes close by themselves.
            await asyncio.sleep(HOLE_PATIENCE_S)
            fruitless = 0
            while room.stream.incomplete and self._hub.rooms.get(room.id) is room:
                before = room.stream.last_pos
                try:
                    await self._fetch(room)
                    fruitless = fruitless + 1 if room.stream.last_pos == before else 0
                except AppError as error:
                    log.warning("a hole could not be repaired yet: %s", error)
                    await asyncio.sleep(REPAIR_RETRY_S)
                if fruitless == FRUITLESS_FETCHES:
                    log.warning("conversation %s stands lower than was told", room.id)
                    room.stream.disbelieve()
                elif fruitless:
                    await asyncio.sleep(REPAIR_RETRY_S)
        finally:
            self._repairing.discard(room.id)

    async def changes(
        self, conversation_id: str, after_pos: int, user_id: int = 0
    ) -> tuple[list[Event], int]:
        """What changed above `after_pos`, each thing in its latest state, and up to where that is all.

        With `user_id`, what that user may see; else what any member may who was never away.
        """
        answer = await self._rpc.ask(
            conversations.CHANGES.service,
            conversations.CHANGES.name,
            {"conversation_id": conversation_id, "after_pos": after_pos},
            key=conversation_id,
            user_id=user_id,
        )
        events = [
            Event(type_, id_, pos, user, frame.encode()) for type_, id_, pos, user, frame in answer["events"]
        ]
        return events, answer["to"]

    async def _fetch(self, room: Room) -> None:
        events, to = await self.changes(room.id, room.stream.last_pos)
        HOLES.inc()
        self._emit(room, room.stream.cover(events, to))
