"""Owns who watches whom: transitions of a user go to the sockets that look at a conversation with him."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

from gateway.connection import Connection
from gateway.framing import text_frame
from messenger_shared import channels
from messenger_shared.bus import Bus
from messenger_shared.errors import AppError
from messenger_shared.events import unpack
from messenger_shared.operations import presence
from messenger_shared.rpc_client import RpcClient

log = logging.getLogger(__name__)

LOOKUP_DEADLINE_S: Final = 0.5


class Watching:
    """Each watched user's channel is subscribed once, while somebody watches."""

    def __init__(self, bus: Bus, rpc: RpcClient) -> None:
        self._bus = bus
        self._rpc = rpc
        # user id -> socket -> in how many conversations it sees him.
        self._watchers: dict[int, dict[Connection, int]] = {}
        self._subscribing: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Nothing is watched yet."""

    async def stop(self) -> None:
        """Waits for no subscription any more."""
        for task in self._subscribing:
            task.cancel()
        await asyncio.gather(*self._subscribing, return_exceptions=True)

    async def watch(self, connection: Connection, user_ids: Iterable[int]) -> None:
        """The socket gets the transitions of these users; on return it misses none any more."""
        fresh = []
        for user_id in user_ids:
            watchers = self._watchers.get(user_id)
            if watchers is None:
                watchers = self._watchers[user_id] = {}
                fresh.append(user_id)
            watchers[connection] = watchers.get(connection, 0) + 1
        if fresh:
            task = asyncio.create_task(self._subscribe(fresh), name="watching")
            self._subscribing.add(task)
            task.add_done_callback(self._subscribing.discard)
        if self._subscribing:
            # All of them: another socket may have begun to watch the same users just now.
            await asyncio.wait(self._subscribing)

    def unwatch(self, connection: Connection, user_ids: Iterable[int]) -> None:
        """Takes back one `watch` of the same users."""
        for user_id in user_ids:
            watchers = self._watchers.get(user_id)
            if watchers is None or connection not in watchers:
                continue
            watchers[connection] -= 1
            if not watchers[connection]:
                del watchers[connection]
            if not watchers:
                del self._watchers[user_id]
                self._bus.unsubscribe([channels.presence(user_id)])

    async def online(self, user_id: int, user_ids: Iterable[int]) -> list[int]:
        """Who of `user_ids` is online; nobody when presence doesn't answer, since chat goes on without it."""
        try:
            answer = await self._rpc.ask(
                presence.ONLINE.service,
                presence.ONLINE.name,
                {"user_ids": list(user_ids)},
                key=str(user_id),
                user_id=user_id,
                deadline_s=LOOKUP_DEADLINE_S,
            )
        except AppError as error:
            log.warning("presence doesn't answer: %s", error)
            return []
        return sorted(answer["user_ids"])

    async def _subscribe(self, user_ids: list[int]) -> None:
        try:
            await self._bus.subscribe([channels.presence(user) for user in user_ids], self._on_transition)
        except AppError as error:
            # The bus goes on trying; until then a transition is missed, and nothing else.
            log.warning("watching starts late: %s", error)

    def _on_transition(self, payload: bytes) -> None:
        for event in unpack(payload):
            data = text_frame(event.frame)
            for connection in self._watchers.get(event.user_id, ()):
                connection.write_ephemeral(data)
