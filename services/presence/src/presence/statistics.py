"""Counts users, sockets and active conversations over all gateways, for everybody with a token."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from messenger_shared.bus import channels
from messenger_shared.bus.redis_client import client, step
from presence.ports import Store

CACHED_S: Final = 1.0


class Statistics:
    """Counts at most once every CACHED_S, so that frequent requests don't load Redis.

    A conversation is active while at least one gateway listens to its channel.
    """

    def __init__(self, store: Store, redis_urls: Sequence[str]) -> None:
        self._store = store
        self._servers = [client(url) for url in redis_urls]
        self._count_task: asyncio.Task[dict[str, Any]] | None = None
        self._counted_at = 0.0

    async def start(self) -> None:
        """Does nothing: the first request counts."""

    async def stop(self) -> None:
        """Closes the connections."""
        if self._count_task is not None:
            await asyncio.gather(self._count_task, return_exceptions=True)
        for server in self._servers:
            await server.aclose()

    async def read(self) -> dict[str, Any]:
        """The statistics, at most CACHED_S old. Callers share one count. Raises AppError(unavailable)."""
        now = asyncio.get_running_loop().time()
        if self._count_task is None or now - self._counted_at >= CACHED_S or _has_failed(self._count_task):
            self._count_task, self._counted_at = asyncio.create_task(self._count(), name="statistics"), now
        return await asyncio.shield(self._count_task)

    async def _count(self) -> dict[str, Any]:
        totals = await self._store.totals()
        return {
            "online_users": totals.online_users,
            "total_connections": sum(totals.sockets.values()),
            "active_conversations": await self._active_conversations(),
            # Only the last part of a worker's id: host and process are not for clients.
            "gateways": [
                {"id": gateway.rpartition("-")[2], "connections": number}
                for gateway, number in sorted(totals.sockets.items())
            ],
        }

    async def _active_conversations(self) -> int:
        pattern = channels.conversation("*")
        found = await step(asyncio.gather(*(server.pubsub_channels(pattern) for server in self._servers)))
        return sum(map(len, found))


def _has_failed(task: asyncio.Task[Any]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
