"""Subscribes to the conversations of this worker's users, orders their events, and repairs holes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from gateway.connections.framing import text_frame
from gateway.connections.hub import Hub, Member, Room
from gateway.connections.ordered_stream import RingBudget
from gateway.metrics import HOLES
from gateway.presence.subscriptions import PresenceSubscriptions
from messenger_shared.bus import channels
from messenger_shared.bus.interface import Bus
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.events import (
    PARTICIPANT_ADDED,
    PARTICIPANT_REMOVED,
    TYPING_START,
    TYPING_STOP,
    Event,
    joined,
    unpack,
)
from messenger_shared.contract.operations import conversations
from messenger_shared.rpc.client import RpcClient
from messenger_shared.runtime.background_tasks import BackgroundTasks

log = logging.getLogger(__name__)

HOLE_TIMEOUT_S: Final = 0.02
REPAIR_RETRY_S: Final = 0.25
# After so many fetches without a new event, chat-api is believed rather than the pos that was announced.
MAX_EMPTY_FETCHES: Final = 3
IDS_PER_REQUEST: Final = 500
_EPHEMERAL_TYPES: Final = frozenset((TYPING_START, TYPING_STOP))


class Rooms:
    """Keeps rooms complete: first the subscription, then the starting pos, then every hole."""

    def __init__(self, bus: Bus, rpc: RpcClient, hub: Hub, subscriptions: PresenceSubscriptions) -> None:
        self._bus = bus
        self._rpc = rpc
        self._hub = hub
        self._subscriptions = subscriptions
        self._ring_budget = RingBudget()
        self._repairing: set[str] = set()
        self._background = BackgroundTasks("rooms")

    async def stop(self) -> None:
        """Cancels the repairs under way."""
        await self._background.stop()

    def get(self, conversation_id: str) -> Room:
        """The room of a conversation; makes it if there is none."""
        room = self._hub.rooms.get(conversation_id)
        if room is None:
            room = self._hub.rooms[conversation_id] = Room(conversation_id)
        return room

    def leave(self, member: Member, room: Room) -> None:
        """Removes a member from a room and ends their views of it. Unsubscribes a room without members."""
        self._hub.leave(member, room)
        for connection in member.connections:
            self._subscriptions.user_left(connection, room.id)
            self._hub.unview(connection, room.id)
        if not room.members and self._hub.rooms.get(room.id) is room:
            del self._hub.rooms[room.id]
            self._ring_budget.drop(room.stream)
            self._bus.unsubscribe([channels.conversation(room.id)])

    async def open(self, rooms: Mapping[Room, int]) -> None:
        """Subscribes to new rooms and emits their events from a pos on; `rooms` maps each room to that pos.

        An event that is published before the subscription shows as a hole later, or by the high-water marks.
        Raises AppError.
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
                    # All members left meanwhile.
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
        """Begins a new room in the background. Its members get the events above `pos`."""
        self._emit(room, room.stream.begin(pos))
        if room.ready is None:
            self._background.run(self._open_and_check(room, pos))

    def handle_event(self, room: Room, event: Event) -> None:
        """Takes a durable event of the room from any source."""
        self._emit(room, room.stream.offer(event))
        self._repair_if_incomplete(room)

    def expect(self, room: Room, pos: int) -> None:
        """Notes that events up to `pos` exist; repairs the room if it lacks some."""
        room.stream.expect(pos)
        self._repair_if_incomplete(room)

    async def _open_and_check(self, room: Room, pos: int) -> None:
        """Begins, then asks chat-api for the last pos: in a new room events often follow at once, and the
        high-water marks would show a lost one too late.
        """
        await self.open({room: pos})
        positions = await self.last_positions([room.id])
        self.expect(room, positions.get(room.id, 0))

    async def last_positions(self, ids: list[str]) -> dict[str, int]:
        """The last pos of each conversation. Raises AppError."""
        positions: dict[str, int] = {}
        for start in range(0, len(ids), IDS_PER_REQUEST):
            chunk = ids[start : start + IDS_PER_REQUEST]
            positions |= await self._rpc.ask(
                conversations.LAST_POSITIONS.service,
                conversations.LAST_POSITIONS.name,
                {"conversation_ids": chunk},
                key=chunk[0],
            )
        return positions

    def _on_payload(self, payload: bytes) -> None:
        events = unpack(payload)
        room = self._hub.rooms.get(events[0].conversation_id) if events else None
        if room is None:
            return
        for event in events:
            if event.type in _EPHEMERAL_TYPES:
                self._hub.emit_ephemeral(room, event)
            elif event.pos:
                self._emit(room, room.stream.offer(event))
            else:
                # Has no pos: read positions are absolute, so their order doesn't matter.
                self._hub.emit(room, [event])
        self._repair_if_incomplete(room)

    def _emit(self, room: Room, events: list[Event]) -> None:
        """Emits durable events in order. An added user gets that event first, a removed user gets it last."""
        if not events:
            return
        self._ring_budget.touch(room.stream)
        start = 0
        for event in events:
            if event.type == PARTICIPANT_ADDED:
                # An added user who is still in the room: their removal was lost. The events between the two
                # are not for them.
                for member in _added_members(event, room.members):
                    self._hub.leave(member, room)
        for number, event in enumerate(events):
            if event.type == PARTICIPANT_ADDED:
                self._hub.emit(room, events[start:number])
                start = number
                self._add_users(room, event)
            elif event.type == PARTICIPANT_REMOVED:
                self._hub.emit(room, events[start : number + 1])
                start = number + 1
                self._remove_user(room, event)
        self._hub.emit(room, events[start:])

    def _add_users(self, room: Room, event: Event) -> None:
        for user_id in joined(event):
            self._subscriptions.member_joined(room.id, user_id)
        for member in _added_members(event, self._hub.members):
            self._hub.join(member, room)
            member.rejoins[room.id] = event.pos

    def _remove_user(self, room: Room, event: Event) -> None:
        # Also for a member who is still arriving: their memberships may have been read before the removal.
        if (arriving := self._hub.members.get(event.user_id)) is not None:
            arriving.note_removal(room.id, event.pos)
        member = room.members.get(event.user_id)
        if member is not None:
            self.leave(member, room)
            for connection in room.replaying.intersection(member.connections) if room.replaying else ():
                connection.write(text_frame(event.frame))
        self._subscriptions.member_left(room.id, event.user_id, room.members)

    def _repair_if_incomplete(self, room: Room) -> None:
        if room.stream.has_hole and room.id not in self._repairing:
            self._repairing.add(room.id)
            self._background.run(self._repair(room))

    async def _repair(self, room: Room) -> None:
        """Fetches the missing events, once for all sockets of this worker."""
        try:
            # Two chat-api workers may publish in the wrong order, so most holes close by themselves.
            await asyncio.sleep(HOLE_TIMEOUT_S)
            empty_fetches = 0
            while room.stream.has_hole and self._hub.rooms.get(room.id) is room:
                before = room.stream.last_pos
                try:
                    await self._fetch_missing(room)
                    empty_fetches = empty_fetches + 1 if room.stream.last_pos == before else 0
                except AppError as error:
                    log.warning("fetching missing events failed, trying again: %s", error)
                    await asyncio.sleep(REPAIR_RETRY_S)
                if empty_fetches == MAX_EMPTY_FETCHES:
                    log.warning("conversation %s has no events up to the announced pos", room.id)
                    room.stream.give_up_hole()
                elif empty_fetches:
                    await asyncio.sleep(REPAIR_RETRY_S)
        finally:
            self._repairing.discard(room.id)

    async def fetch_changes(
        self, conversation_id: str, after_pos: int, user_id: int = 0
    ) -> tuple[list[Event], int]:
        """The changes above `after_pos`, each thing in its latest state, and the pos up to which that is all.

        `user_id` limits them to what that user may see; 0 to what a member may see who never left.
        Raises AppError.
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

    async def _fetch_missing(self, room: Room) -> None:
        events, to = await self.fetch_changes(room.id, room.stream.last_pos)
        HOLES.inc()
        self._emit(room, room.stream.fill(events, to))


def _added_members(event: Event, members: Mapping[int, Member]) -> list[Member]:
    """Those of `members` whom the event added to the conversation."""
    return [member for user_id in joined(event) if (member := members.get(user_id))]
