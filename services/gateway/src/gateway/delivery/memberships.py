"""Tracks which conversations this worker's users are in, and so which rooms the worker needs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import orjson

from gateway.auth.revocations import Revocations
from gateway.connections.hub import Hub, Member, Membership, Room
from gateway.connections.socket_counter import SocketCounter
from gateway.delivery.rooms import REPAIR_RETRY_S, Rooms
from messenger_shared.bus import channels
from messenger_shared.bus.interface import Bus
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.events import (
    INTERNAL_EVENTS,
    PARTICIPANT_ADDED,
    PARTICIPANT_REMOVED,
    Event,
    InternalEvent,
    unpack,
)
from messenger_shared.contract.operations import conversations
from messenger_shared.rpc.batch_loader import BatchLoader
from messenger_shared.rpc.client import RpcClient
from messenger_shared.runtime.background_tasks import BackgroundTasks

log = logging.getLogger(__name__)

USERS_AT_ONCE: Final = 100


class MembershipTracker:
    """Keeps each member's rooms equal to the user's memberships in chat-api."""

    def __init__(
        self,
        bus: Bus,
        rpc: RpcClient,
        hub: Hub,
        rooms: Rooms,
        socket_counter: SocketCounter,
        revocations: Revocations,
    ) -> None:
        self._bus = bus
        self._rpc = rpc
        self._hub = hub
        self._rooms = rooms
        self._socket_counter = socket_counter
        self._revocations = revocations
        self._arrivals = BatchLoader(self._arrive, USERS_AT_ONCE)
        self._changes_seen: dict[int, int] = {}
        self._background = BackgroundTasks("memberships")

    async def start(self) -> None:
        """Listens to the high-water marks and to gaps of the bus."""
        self._bus.on_gap(lambda: self._background.run(self._compare_all()))
        marks = [channels.HIGH_WATER_MARKS + lane for lane in self._bus.lanes]
        await self._bus.subscribe(marks, self._on_high_water_marks)

    async def stop(self) -> None:
        """Cancels the comparisons under way, and stops the rooms."""
        await self._background.stop()
        await self._arrivals.stop()
        await self._rooms.stop()

    async def arrive(self, member: Member) -> None:
        """Makes the member's rooms live. Sockets of one user that arrive together share the work.

        Raises AppError when chat-api or Redis doesn't answer.
        """
        if member.is_live:
            return
        if member.loading is None:
            member.loading = self._arrivals.get(member)
        try:
            await self._join_existing(member, await asyncio.shield(member.loading))
        except AppError:
            member.loading = None
            raise
        # None, because the member would keep the answer as long as it lives.
        member.is_live, member.loading = True, None

    def depart(self, member: Member) -> None:
        """Removes a member whose last socket is gone from all rooms, and ends their subscription."""
        self._bus.unsubscribe([channels.user(member.user_id)])
        self._leave_all(member)

    async def _arrive(self, members: Sequence[Member]) -> dict[Member, list[Membership]]:
        """Subscribes and joins for all members who arrive together. Returns as `_join_listed`."""
        # The users' own channels come first, so that no membership that begins meanwhile is missed.
        await self._bus.subscribe_each(
            {channels.user(m.user_id): partial(self._on_user_payload, m.user_id) for m in members}
        )
        gone = [m.user_id for m in members if m.user_id not in self._hub.members]
        self._bus.unsubscribe(map(channels.user, gone))
        return await self._join_listed(members, await self._fetch_memberships(members))

    async def _sync(self, members: Sequence[Member]) -> None:
        """Joins and leaves rooms so that they match chat-api."""
        # With the pos of the last return: if the user returns again meanwhile, the answer is out of date.
        before = {m: {id_: m.rejoins.get(id_, 0) for id_ in m.rooms} for m in members}
        listed = await self._fetch_memberships(members)
        for member, existing in (await self._join_listed(members, listed)).items():
            await self._join_existing(member, existing)
            # Only rooms from before the request count as gone. What was joined or left meanwhile is newer
            # than chat-api's answer.
            gone = before[member].keys() - {id_ for id_, *_ in listed[member.user_id]}
            rooms = {room: before[member][id_] for id_, room in member.rooms.items() if id_ in gone}
            if rooms:
                await self._leave_unlisted(member, rooms)
            if self._is_gone(member):
                self._leave_all(member)

    async def _join_listed(
        self, members: Sequence[Member], listed: Mapping[int, Sequence[Membership]]
    ) -> dict[Member, list[Membership]]:
        """Joins the rooms that are new to this worker, all at once; returns the other memberships."""
        new_rooms: dict[Room, int] = {}
        existing: dict[Member, list[Membership]] = {member: [] for member in members}
        for member in members:
            if self._is_gone(member):
                continue
            for id_, pos, returned in listed[member.user_id]:
                if returned:
                    member.rejoins[id_] = returned
                if id_ in self._hub.rooms:
                    existing[member].append((id_, pos, returned))
                elif member.removals.get(id_, 0) <= pos:
                    room = self._rooms.get(id_)
                    new_rooms[room] = pos
                    self._hub.join(member, room)
        await self._rooms.open(new_rooms)
        for member in filter(self._is_gone, members):
            self._leave_all(member)
        return existing

    async def _join_existing(self, member: Member, memberships: Sequence[Membership]) -> None:
        """Joins rooms that exist here. If a stream is below `returned`, that event does it later."""
        for id_, pos, returned in memberships:
            while (room := self._hub.rooms.get(id_)) is not None and room.ready and not room.stream.has_begun:
                await room.ready
            if self._is_gone(member) or member.removals.get(id_, 0) > pos:
                continue
            if room is not None and room.stream.has_begun and room.stream.last_pos < returned:
                self._rooms.expect(room, pos)
                continue
            room = self._rooms.get(id_)
            self._hub.join(member, room)
            if room.ready is None:
                await self._rooms.open({room: pos})

    async def _fetch_memberships(self, members: Sequence[Member]) -> dict[int, list[Membership]]:
        user_ids = [member.user_id for member in members]
        answer = await self._rpc.ask(
            conversations.MEMBERSHIPS.service,
            conversations.MEMBERSHIPS.name,
            {"user_ids": user_ids},
            key=str(user_ids[0]),
        )
        return {int(user_id): rows for user_id, rows in answer.items()}

    async def _leave_unlisted(self, member: Member, rooms: Mapping[Room, int]) -> None:
        """Leaves rooms that chat-api no longer lists. The removal event is still under way, or was lost."""
        positions = await self._rooms.last_positions([room.id for room in rooms])
        for room, returned in rooms.items():
            if positions.get(room.id, 0) > room.stream.last_pos:
                self._rooms.expect(room, positions[room.id])
            elif member.rooms.get(room.id) is room and member.rejoins.get(room.id, 0) == returned:
                self._rooms.leave(member, room)

    def _is_gone(self, member: Member) -> bool:
        """Whether the last socket closed meanwhile. The user may have reconnected, as a new Member."""
        return self._hub.members.get(member.user_id) is not member

    def _leave_all(self, member: Member) -> None:
        for room in list(member.rooms.values()):
            self._rooms.leave(member, room)

    def _on_user_payload(self, user_id: int, payload: bytes) -> None:
        member = self._hub.members.get(user_id)
        if member is None:
            return
        for event in unpack(payload):
            if event.type == PARTICIPANT_REMOVED:
                member.note_removal(event.conversation_id, event.pos)
                if (room := member.rooms.get(event.conversation_id)) is not None:
                    self._rooms.handle_event(room, event)
            elif event.pos:
                # chat-api publishes again if the first publisher may have died: this may be out of date.
                if event.pos > member.removals.get(event.conversation_id, 0):
                    self._on_joined(member, event)
            elif event.type == InternalEvent.SESSIONS_REVOKED:
                self._revocations.handle_event(event)
            elif event.type in INTERNAL_EVENTS:
                self._socket_counter.handle_event(member, event)
            else:
                self._hub.emit_to(member, event)

    def _on_joined(self, member: Member, event: Event) -> None:
        """Handles the event by which the user became a member, the first of the conversation for them."""
        if event.type == InternalEvent.MEMBERSHIP_BEGUN:
            self._on_joined_with_others(member, event)
            return
        room = self._rooms.get(event.conversation_id)
        if not room.stream.has_begun:
            self._rooms.open_at(room, event.pos - 1)
        if room.id not in member.rooms and room.stream.last_pos >= event.pos:
            # The event passed through the room before this user was in it.
            self._hub.join(member, room)
            if event.type == PARTICIPANT_ADDED:
                member.rejoins[room.id] = event.pos
            self._hub.emit_to(member, event)
            return
        if event.type != PARTICIPANT_ADDED:
            self._hub.join(member, room)
        self._rooms.handle_event(room, event)

    def _on_joined_with_others(self, member: Member, begun: Event) -> None:
        """Handles the notice that the user was added with others; the room's channel has the event."""
        room = self._rooms.get(begun.conversation_id)
        if not room.stream.has_begun:
            self._rooms.open_at(room, begun.pos - 1)
        if room.stream.last_pos < begun.pos:
            self._rooms.expect(room, begun.pos)
        elif room.id not in member.rooms:
            # The event passed through the room before this user was in it.
            self._hub.join(member, room)
            member.rejoins[room.id] = begun.pos
            for event in (room.stream.released_above(begun.pos - 1) or ())[:1]:
                self._hub.emit_to(member, event)

    def _on_high_water_marks(self, payload: bytes) -> None:
        body = orjson.loads(payload)
        self._expect_positions(body["positions"])
        changed = []
        for user_id, change in body["users"]:
            member = self._hub.members.get(user_id)
            if member is not None and self._changes_seen.get(user_id) != change:
                self._changes_seen[user_id] = change
                changed.append(member)
        for members in _groups(changed):
            self._background.run(self._sync(members))
        self._changes_seen = {u: c for u, c in self._changes_seen.items() if u in self._hub.members}

    def _expect_positions(self, positions: dict[str, int]) -> None:
        for conversation_id, pos in positions.items():
            if (room := self._hub.rooms.get(conversation_id)) is not None:
                self._rooms.expect(room, pos)

    async def _compare_all(self) -> None:
        """Compares all rooms and memberships of this worker with chat-api, after a gap of the bus."""
        try:
            positions = await self._rooms.last_positions(list(self._hub.rooms))
            self._expect_positions(positions)
            for members in _groups(list(self._hub.members.values())):
                await self._sync(members)
        except AppError as error:
            log.warning("comparing with chat-api failed, trying again: %s", error)
            await asyncio.sleep(REPAIR_RETRY_S)
            self._background.run(self._compare_all())


def _groups(members: Sequence[Member]) -> list[Sequence[Member]]:
    """The members in groups for one request each."""
    return [members[start : start + USERS_AT_ONCE] for start in range(0, len(members), USERS_AT_ONCE)]
