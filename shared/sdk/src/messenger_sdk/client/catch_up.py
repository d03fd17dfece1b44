"""Brings a client up to date: after it has connected, and when it had no room for events."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import NoReturn

from messenger_sdk.client.event_queue import EventQueue
from messenger_sdk.client.positions import Positions
from messenger_sdk.client.socket import Frame, Socket
from messenger_sdk.models import ConversationCounters, Message, ReplayResult
from messenger_sdk.rest import Rest, path_of

CONVERSATIONS_PER_RESUME = 200
# A long replay comes as fast as the client reads.
REPLAY_TIMEOUT_S = 60.0
CHECK_S = 1.0
GAP = "history.gap"


class CatchUp:
    """Asks for replays over one socket. All methods raise MessengerError."""

    def __init__(self, socket: Socket, rest: Rest, positions: Positions, queue: EventQueue) -> None:
        self._socket = socket
        self._rest = rest
        self._positions = positions
        self._queue = queue

    async def list_conversations(self, *, is_first_start: bool) -> None:
        """Takes note of all conversations."""
        rows: list[ConversationCounters] = [row async for row in self._rest.items("/sync")]
        self._positions.listed(rows, is_first_start=is_first_start)

    async def run(self) -> NoReturn:
        """Passes on the unread messages of new conversations and all replays, and goes on with later ones."""
        for id_, last_seq in self._positions.unread().items():
            await self._read_messages(id_, last_seq)
            self._positions.read_all(id_)
        while True:
            await self._replay()
            await asyncio.sleep(CHECK_S)

    async def _replay(self) -> None:
        while paused := self._positions.paused():
            part = dict(islice(paused.items(), CONVERSATIONS_PER_RESUME))
            answer = await self._socket.command("resume", {"positions": part}, REPLAY_TIMEOUT_S)
            for id_ in part:
                await self._replayed(id_, answer["conversations"].get(id_))

    async def _replayed(self, conversation_id: str, result: ReplayResult | None) -> None:
        if result is None:
            self._positions.forget(conversation_id)
        elif result["recovered"]:
            if not self._positions.replayed(conversation_id, result["to"]):
                await self._queue.drained()
        else:
            await self._read_history(conversation_id, result["to"])

    async def _read_history(self, conversation_id: str, to: int) -> None:
        """The conversation has more changes than a replay may have, so only its new messages are read."""
        await self._emit({"type": GAP, "conversation_id": conversation_id})
        await self._read_messages(conversation_id, None)
        self._positions.jump(conversation_id, to)

    async def _read_messages(self, conversation_id: str, last_seq: int | None) -> None:
        """Passes messages on as events, until `last_seq` or the newest.

        Notes each of them, so that none comes again after an interruption.
        """
        after_seq = self._positions.seq_of(conversation_id)
        if after_seq is None:
            return
        path = path_of("conversations", conversation_id, "messages")
        async for message in self._rest.items(path, {"after_seq": str(after_seq)}):
            if last_seq is not None and message["seq"] > last_seq:
                return
            await self._emit(_event(message))
            self._positions.read(conversation_id, message["seq"])

    async def _emit(self, frame: Frame) -> None:
        if not self._queue.offer(frame):
            await self._queue.drained()
            self._queue.offer(frame)


def _event(message: Message) -> Frame:
    return {
        "type": "message.new",
        "conversation_id": message["conversation_id"],
        "pos": message["pos"],
        "replay": True,
        "data": message,
    }
