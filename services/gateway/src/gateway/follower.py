"""Owns following: which conversations this worker's users are in, and therefore which rooms it has."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from gateway.census import Census
from gateway.chores import Chores
from gateway.gathering import Gathering
from gateway.hub import Hub, Member, Room
from gateway.revocations import Revocations
from gateway.rooms import REPAIR_RETRY_S, Rooms
from messenger_shared import channels
from messenger_shared.bus import Bus
from messenger_shared.errors import AppError
from messenger_shared.events import BETWEEN, PARTICIPANT_ADDED, PARTICIPANT_REMOVED, Between, Event, unpack
from messenger_shared.operations import conversations
from messenger_shared.rpc_client import RpcClient

log = logging.getLogger(__name__)

RECONCILE_AT_ONCE: Final = 50
ASKED_AT_ONCE: Final = 100

# A conversation, where it stands, and where the user came back to it; 0 if he was never away.
Membership = tuple[str, int, int]


class Follower:
    """Joins users to rooms and takes them out again, as chat-api has it."""

    def __init__(
        self,
        bus: Bus,
        rpc: RpcClient,
        hub: Hub,
        rooms: Rooms,
        census: Census,
        revocations: Revocations,
    ) -> None:
        self._bus = bus
        self._rpc = rpc
        self._hub = hub
        self._rooms = rooms
        self._census = census
        self._revocations = revocations
        self._memberships = Gathering(self._ask_memberships, ASKED_AT_ONCE)
        self._changes_seen: dict[int, int] = {}
        self._chores = Chores("follower")

    async def start(self) -> None:
        """Listens to heads, and to gaps of the bus."""
        self._bus.on_gap(lambda: self._chores.run(self._reconcile()))
        await self._bus.subscribe([channels.HEADS], self._on_heads)

    async def stop(self) -> None:
        """Gives up what is being compared."""
        await self._chores.stop()
        await self._memberships.stop()
        await self._rooms.stop()

    async def arrive(self, member: Member) -> None:
        """Makes the member's rooms live; several sockets of one user that arrive together do it once.

        Raises AppError when chat-api or Redis doesn't answer.
        """
        if member.arrived:
            return
        if member.ready is None:
            member.ready = asyncio.ensure_future(self._arrive(member))
            member.ready.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            await asyncio.shield(member.ready)
        except AppError:
            member.ready = None
            raise
        # An ended task would be kept as long as the member.
        member.arrived, member.ready = True, None

    def depart(self, member: Member) -> None:
        """The member's last socket is gone: rooms without members are no longer listened to."""
        self._bus.unsubscribe([channels.user(member.user_id)])
        self._leave_all(member)

    async def _arrive(self, member: Member) -> None:
        # The user's own channel comes first, so that no membership is missed between the two.
        user_id = member.user_id
        await self._bus.subscribe([channels.user(user_id)], lambda data: self._on_user(user_id, data))
        if user_id not in self._hub.members:
            self._bus.unsubscribe([channels.user(user_id)])
            return
        await self._sync(member)

    async def _sync(self, member: Member) -> None:
        """Joins and leaves rooms until they are those of chat-api."""
        # Each with his last return to it: who has come back again since is not who was asked about.
        before = {id_: member.returns.get(id_, 0) for id_ in member.rooms}
        rows = await self._memberships.get(member.user_id)
        if self._is_gone(member):
            return
        # What was joined while chat-api was asked is newer than its answer, and so is what was left.
        gone = before.keys() - {conversation_id for conversation_id, *_ in rows}
        member.returns |= {id_: returned for id_, _, returned in rows if returned}
        for id_, pos, returned in await self._open(member, rows):
            await self._enter(member, id_, pos, returned)
        if gone:
            await self._part(member, {r: before[id_] for id_, r in member.rooms.items() if id_ in gone})
        if self._is_gone(member):
            self._leave_all(member)

    async def _open(self, member: Member, rows: Sequence[Membership]) -> list[Membership]:
        """Joins the rooms that are new to this worker, all at once; returns the others."""
        fresh: dict[Room, int] = {}
        others = []
        for id_, pos, returned in rows:
            room = self._hub.rooms.get(id_)
            if room is not None:
                others.append((id_, pos, returned))
            elif member.removals.get(id_, 0) <= pos:
                fresh[self._rooms.get(id_)] = pos
        for room in fresh:
            self._hub.join(member, room)
        await self._rooms.begin(fresh)
        return others

    async def _enter(self, member: Member, id_: str, pos: int, returned: int) -> None:
        """Joins a room that was here already; if it is not as far as his return, that will let him in."""
        while (room := self._hub.rooms.get(id_)) is not None and room.ready and not room.stream.began:
            await room.ready
        if self._is_gone(member) or member.removals.get(id_, 0) > pos:
            return
        if room is not None and room.stream.began and room.stream.last_pos < returned:
            self._rooms.expect(room, pos)
            return
        room = self._rooms.get(id_)
        self._hub.join(member, room)
        if room.ready is None:
            await self._rooms.begin({room: pos})

    async def _ask_memberships(self, user_ids: Sequence[int]) -> dict[int, list[Any]]:
        answer = await self._rpc.ask(
            conversations.MEMBERSHIPS.service,
            conversations.MEMBERSHIPS.name,
            {"user_ids": list(user_ids)},
            key=str(user_ids[0]),
        )
        return {int(user_id): rows for user_id, rows in answer.items()}

    async def _part(self, member: Member, rooms: Mapping[Room, int]) -> None:
        """chat-api has removed the member from these: the event that says so is on its way, or was lost."""
        heads = await self._rooms.heads([room.id for room in rooms])
        for room, returned in rooms.items():
            if heads.get(room.id, 0) > room.stream.last_pos:
                self._rooms.expect(room, heads[room.id])
            elif member.rooms.get(room.id) is room and member.returns.get(room.id, 0) == returned:
                self._rooms.leave(member, room)

    def _is_gone(self, member: Member) -> bool:
        """Whether its last socket went while we waited; the user may be here anew, as another member."""
        return self._hub.members.get(member.user_id) is not member

    def _leave_all(self, member: Member) -> None:
        for room in list(member.rooms.values()):
            self._rooms.leave(member, room)

    def _on_user(self, user_id: int, payload: bytes) -> None:
        member = self._hub.members.get(user_id)
        if member is None:
            return
        for event in unpack(payload):
            if event.type == PARTICIPANT_REMOVED:
                member.note_removal(event.conversation_id, event.pos)
                if (room := member.rooms.get(event.conversation_id)) is not None:
                    self._rooms.offer(room, event)
            elif event.pos:
                # What is told again, since its first teller died, may be out of date by now.
                if event.pos > member.removals.get(event.conversation_id, 0):
                    self._welcome(member, event)
            elif event.type == Between.SESSIONS_REVOKED:
                self._revocations.hear(event)
            elif event.type in BETWEEN:
                self._census.hear(member, event)
            else:
                self._hub.emit_to(member, event)

    def _welcome(self, member: Member, event: Event) -> None:
        """The user became a member of a conversation by `event`, which is the first that concerns him."""
        room = self._rooms.get(event.conversation_id)
        if not room.stream.began:
            self._rooms.open_at(room, event.pos - 1)
        if room.id not in member.rooms and room.stream.last_pos >= event.pos:
            # It passed through the room before this user was here.
            self._hub.join(member, room)
            if event.type == PARTICIPANT_ADDED:
                member.returns[room.id] = event.pos
            self._hub.emit_to(member, event)
            return
        if event.type != PARTICIPANT_ADDED:
            self._hub.join(member, room)
        self._rooms.offer(room, event)

    def _on_heads(self, payload: bytes) -> None:
        body = orjson.loads(payload)
        self._expect(body["positions"])
        for user_id, change in body["users"]:
            member = self._hub.members.get(user_id)
            if member is not None and self._changes_seen.get(user_id) != change:
                self._changes_seen[user_id] = change
                self._chores.run(self._sync(member))
        self._changes_seen = {u: c for u, c in self._changes_seen.items() if u in self._hub.members}

    def _expect(self, positions: dict[str, int]) -> None:
        for conversation_id, pos in positions.items():
            if (room := self._hub.rooms.get(conversation_id)) is not None:
                self._rooms.expect(room, pos)

    async def _reconcile(self) -> None:
        """The bus was away: compares everything that this worker follows."""
        try:
            heads = await self._rooms.heads(list(self._hub.rooms))
            self._expect(heads)
            members = list(self._hub.members.values())
            for start in range(0, len(members), RECONCILE_AT_ONCE):
                await asyncio.gather(*map(self._sync, members[start : start + RECONCILE_AT_ONCE]))
        except AppError as error:
            log.warning("reconciling failed, once more: %s", error)
            await asyncio.sleep(REPAIR_RETRY_S)
            self._chores.run(self._reconcile())
