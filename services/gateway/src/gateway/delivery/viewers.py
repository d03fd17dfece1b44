"""Answers who looks at a conversation here: who has a socket that views it and isn't away."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from gateway.connections.hub import Hub
from messenger_shared.bus import channels
from messenger_shared.bus.interface import Bus
from messenger_shared.bus.viewers import Looking, unpack_question
from messenger_shared.contract.errors import AppError


class Viewers:
    """Every gateway worker answers every question, so that whoever asks knows when all have."""

    def __init__(self, bus: Bus, hub: Hub) -> None:
        self._bus = bus
        self._hub = hub

    async def start(self) -> None:
        """Subscribes. If Redis is away, the bus does so when it is back."""
        with contextlib.suppress(AppError):
            await self._bus.subscribe([channels.VIEWERS], self._on_question)

    async def stop(self) -> None:
        """Unsubscribes."""
        self._bus.unsubscribe([channels.VIEWERS])

    def _on_question(self, payload: bytes) -> None:
        question = unpack_question(payload)
        looking = {id_: self._looking(id_, users) for id_, users in question.users.items()}
        answer = Looking(question.number, {id_: users for id_, users in looking.items() if users})
        self._bus.publish(channels.viewers_answer(question.worker), answer.pack())

    def _looking(self, conversation_id: str, user_ids: Sequence[int]) -> list[int]:
        room = self._hub.rooms.get(conversation_id)
        if room is None or not room.viewers:
            return []
        wanted = set(user_ids)
        present = {connection.user_id for connection in room.viewers if not connection.is_away}
        return sorted(wanted & present)
