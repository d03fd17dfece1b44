"""Tells users of changed profiles: those who share a conversation with the changed user, once each."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

import orjson

from gateway.connections.hub import Hub, Member
from gateway.metrics import USER_UPDATES
from messenger_shared.bus import channels
from messenger_shared.bus.interface import Bus
from messenger_shared.contract.events import USER_UPDATED, Event

log = logging.getLogger(__name__)

# Several changes of one user within this time are one frame.
GATHER_S: Final = 0.25
MAX_GATHERED: Final = 10_000


class UserUpdates:
    """Gathers changes and emits them to the members of this worker. A lost change shows at the next read."""

    def __init__(self, bus: Bus, hub: Hub) -> None:
        self._bus = bus
        self._hub = hub
        # User id -> the latest change.
        self._gathered: dict[int, dict[str, Any]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    async def start(self) -> None:
        """Listens for changes."""
        await self._bus.subscribe([channels.USERS], self._on_change)

    async def stop(self) -> None:
        """Stops listening, and emits what was gathered."""
        self._bus.unsubscribe([channels.USERS])
        self._emit()

    def _on_change(self, payload: bytes) -> None:
        change = orjson.loads(payload)
        if len(self._gathered) >= MAX_GATHERED:
            self._emit()
        self._gathered[change["user_id"]] = change
        if self._timer is None:
            self._timer = self._loop.call_later(GATHER_S, self._emit)

    def _emit(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        gathered, self._gathered = self._gathered, {}
        for user_id, change in gathered.items():
            event = Event(USER_UPDATED, "", 0, user_id, change["frame"].encode())
            for member in self._who_knows(user_id, change["conversation_ids"]).values():
                self._hub.emit_to(member, event)
                USER_UPDATES.inc(len(member.connections))

    def _who_knows(self, user_id: int, conversation_ids: list[str]) -> dict[int, Member]:
        """The members of this worker who share one of the conversations, and the user, by id."""
        found: dict[int, Member] = {}
        for conversation_id in conversation_ids:
            if (room := self._hub.rooms.get(conversation_id)) is not None:
                found |= room.members
        if (own := self._hub.members.get(user_id)) is not None:
            found[user_id] = own
        return found
