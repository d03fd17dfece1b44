"""Owns how much is going on over all gateways, as anybody with a token may see it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from messenger_shared import channels, errors
from messenger_shared.errors import AppError
from presence.ports import Store

KEPT_S: Final = 1.0
TIMEOUT_S: Final = 2.0


class Figures:
    """Counts anew every KEPT_S at most: whoever asks often shall not keep Redis busy.

    A conversation is active while some gateway listens to its channel, and counts once however many do.
    """

    def __init__(self, store: Store, redis_urls: Sequence[str]) -> None:
        self._store = store
        self._servers = [Redis.from_url(url, socket_timeout=None) for url in redis_urls]
        self._counting: asyncio.Task[dict[str, Any]] | None = None
        self._counted_at = 0.0

    async def start(self) -> None:
        """Nobody has asked yet."""

    async def stop(self) -> None:
        """Closes the connections."""
        if self._counting is not None:
            await asyncio.gather(self._counting, return_exceptions=True)
        for server in self._servers:
            await server.aclose()

    async def read(self) -> dict[str, Any]:
        """The figures; who asks at the same time gets the same. Raises AppError(unavailable)."""
        now = asyncio.get_running_loop().time()
        if self._counting is None or now - self._counted_at >= KEPT_S or _has_failed(self._counting):
            self._counting, self._counted_at = asyncio.create_task(self._count(), name="figures"), now
        return await asyncio.shield(self._counting)

    async def _count(self) -> dict[str, Any]:
        totals = await self._store.totals()
        return {
            "online_users": totals.online_users,
            "total_connections": sum(totals.sockets.values()),
            "active_conversations": await self._active_conversations(),
            # A worker's name without host and process, which are no client's business.
            "gateways": [
                {"id": gateway.rpartition("-")[2], "connections": number}
                for gateway, number in sorted(totals.sockets.items())
            ],
        }

    async def _active_conversations(self) -> int:
        pattern = channels.conversation("*")
        try:
            async with asyncio.timeout(TIMEOUT_S):
                found = await asyncio.gather(*(server.pubsub_channels(pattern) for server in self._servers))
        except (RedisError, OSError, TimeoutError) as error:
            raise AppError(errors.UNAVAILABLE) from error
        return sum(map(len, found))


def _has_failed(task: asyncio.Task[Any]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
