"""Owns following: this worker listens to what its users' conversations tell, and fetches what it missed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final

import orjson

from gateway.hub import Hub, Member, Room
from gateway.metrics import HOLES
from messenger_shared import channels
from messenger_shared.bus import Bus
from messenger_shared.errors import AppError
from messenger_shared.events import TYPING_START, TYPING_STOP, Event, unpack
from messenger_shared.operations import conversations
from messenger_shared.rpc_client import RpcClient

log = logging.getLogger(__name__)

HOLE_PATIENCE_S: Final = 0.02
REPAIR_RETRY_S: Final = 0.25
HEADS_PER_REQUEST: Final = 500
RECONCILE_AT_ONCE: Final = 50
_EPHEMERAL: Final = frozenset((TYPING_START, TYPING_STOP))


class Follower:
    """Keeps rooms whole: subscription first, then where the conversation stands, then every hole."""

    def __init__(self, bus: Bus, rpc: RpcClient, hub: Hub) -> None:
        self._bus = bus
        self._rpc = rpc
        self._hub = hub
        self._repairing: set[str] = set()
        self._changes_seen: dict[int, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listens to heads, and to gaps of the bus."""
        self._bus.on_gap(lambda: self._run(self._reconcile()))
        await self._bus.subscribe([channels.HEADS], self._on_heads)

    async def stop(self) -> None:
        """Gives up what is being repaired."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def arrive(self, member: Member) -> None:
        """Makes the member's rooms live; several sockets of one user that arrive together do it once.

        Raises AppError when chat-api or Redis doesn't answer.
        """
        if member.ready is None:
            member.ready = asyncio.ensure_future(self._arrive(member))
            member.ready.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            await asyncio.shield(member.ready)
        except AppError:
            member.ready = None
            raise

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
        before = set(member.rooms)
        rows = await self._rpc.ask(
            conversations.MEMBERSHIPS.service,
            conversations.MEMBERSHIPS.name,
            {},
            key=str(member.user_id),
            user_id=member.user_id,
        )
        if self._is_gone(member):
            return
        # What was joined while chat-api was asked is newer than its answer.
        for id_ in before - {conversation_id for conversation_id, _ in rows}:
            if id_ in member.rooms:
                self._leave(member, member.rooms[id_])
        rooms = [self._room(conversation_id) for conversation_id, _ in rows]
        for room in rooms:
            self._hub.join(member, room)
        await self._begin([room for room in rooms if room.ready is None])
        await asyncio.gather(*(room.ready for room in rooms if room.ready is not None))
        if self._is_gone(member):
            self._leave_all(member)

    def _is_gone(self, member: Member) -> bool:
        """Whether its last socket went while we waited; the user may be here anew, as another member."""
        return self._hub.members.get(member.user_id) is not member

    def _room(self, conversation_id: str) -> Room:
        room = self._hub.rooms.get(conversation_id)
        if room is None:
            room = self._hub.rooms[conversation_id] = Room(conversation_id)
        return room

    def _leave_all(self, member: Member) -> None:
        for room in list(member.rooms.values()):
            self._leave(member, room)

    def _leave(self, member: Member, room: Room) -> None:
        self._hub.leave(member, room)
        if not room.members and self._hub.rooms.get(room.id) is room:
            del self._hub.rooms[room.id]
            self._bus.unsubscribe([channels.conversation(room.id)])

    async def _begin(self, rooms: list[Room]) -> None:
        """Subscribes to new rooms and learns where they stand, in that order."""
        if not rooms:
            return
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        for room in rooms:
            room.ready = ready
        try:
            await asyncio.gather(*(self._subscribe(room) for room in rooms))
            heads = await self._heads([room.id for room in rooms])
            for room in rooms:
                if room.id not in self._hub.rooms:
                    # All members left while it began.
                    self._bus.unsubscribe([channels.conversation(room.id)])
                    continue
                self._hub.emit(room, room.stream.begin(heads.get(room.id, 0)))
                room.stream.expect(heads.get(room.id, 0))
                self._check(room)
            ready.set_result(None)
        except BaseException as error:
            for room in rooms:
                room.ready = None
            ready.set_exception(error if isinstance(error, AppError) else asyncio.CancelledError())
            ready.exception()
            raise

    async def _subscribe(self, room: Room) -> None:
        await self._bus.subscribe([channels.conversation(room.id)], lambda data: self._on_room(room, data))

    async def _heads(self, ids: list[str]) -> dict[str, int]:
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

    def _on_room(self, room: Room, payload: bytes) -> None:
        for event in unpack(payload):
            if event.type in _EPHEMERAL:
                self._hub.emit_ephemeral(room, event)
            elif event.pos:
                self._hub.emit(room, room.stream.offer(event))
            else:
                # Outside the order: read positions are absolute.
                self._hub.emit(room, [event])
        self._check(room)

    def _on_user(self, user_id: int, payload: bytes) -> None:
        member = self._hub.members.get(user_id)
        if member is None:
            return
        for event in unpack(payload):
            if event.pos:
                self._welcome(member, event)
            else:
                self._hub.emit_to(member, event)

    def _welcome(self, member: Member, event: Event) -> None:
        """The user became a member of a conversation by `event`, which is the first that concerns him."""
        room = self._room(event.conversation_id)
        if room.id in member.rooms:
            self._hub.emit(room, room.stream.offer(event))
            return
        self._hub.join(member, room)
        if room.ready is None:
            self._hub.emit(room, room.stream.begin(event.pos - 1))
            self._run(self._begin([room]))
        if room.stream.last_pos >= event.pos:
            # It passed through the room before this user was in it.
            self._hub.emit_to(member, event)
        else:
            self._hub.emit(room, room.stream.offer(event))

    def _on_heads(self, payload: bytes) -> None:
        body = orjson.loads(payload)
        for conversation_id, pos in body["positions"].items():
            room = self._hub.rooms.get(conversation_id)
            if room is not None:
                room.stream.expect(pos)
                self._check(room)
        for user_id, change in body["users"]:
            member = self._hub.members.get(user_id)
            if member is not None and self._changes_seen.get(user_id) != change:
                self._changes_seen[user_id] = change
                self._run(self._sync(member))
        self._changes_seen = {u: c for u, c in self._changes_seen.items() if u in self._hub.members}

    def _check(self, room: Room) -> None:
        if room.stream.incomplete and room.id not in self._repairing:
            self._repairing.add(room.id)
            self._run(self._repair(room))

    async def _repair(self, room: Room) -> None:
        """Fetches what is missing, once for all sockets of this worker."""
        try:
            # Two chat-api workers may publish in the other order: most holes close by themselves.
            await asyncio.sleep(HOLE_PATIENCE_S)
            while room.stream.incomplete and self._hub.rooms.get(room.id) is room:
                try:
                    await self._fetch(room)
                except AppError as error:
                    log.warning("a hole could not be repaired yet: %s", error)
                    await asyncio.sleep(REPAIR_RETRY_S)
        finally:
            self._repairing.discard(room.id)

    async def _fetch(self, room: Room) -> None:
        answer = await self._rpc.ask(
            conversations.CHANGES.service,
            conversations.CHANGES.name,
            {"conversation_id": room.id, "after_pos": room.stream.last_pos},
            key=room.id,
        )
        HOLES.inc()
        events = [
            Event(type_, id_, pos, user, frame.encode()) for type_, id_, pos, user, frame in answer["events"]
        ]
        self._hub.emit(room, room.stream.cover(events, answer["to"]))

    async def _reconcile(self) -> None:
        """The bus was away: compares everything that this worker follows."""
        try:
            heads = await self._heads(list(self._hub.rooms))
            for conversation_id, pos in heads.items():
                room = self._hub.rooms.get(conversation_id)
                if room is not None:
                    room.stream.expect(pos)
                    self._check(room)
            members = list(self._hub.members.values())
            for start in range(0, len(members), RECONCILE_AT_ONCE):
                await asyncio.gather(*map(self._sync, members[start : start + RECONCILE_AT_ONCE]))
        except AppError as error:
            log.warning("reconciling failed, once more: %s", error)
            await asyncio.sleep(REPAIR_RETRY_S)
            self._run(self._reconcile())

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(_logged(work), name="follower")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except AppError as error:
        log.warning("following failed: %s", error)
    except Exception:
        log.exception("following failed")
