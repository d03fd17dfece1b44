"""Owns presence in Redis: one atomic step per method, by Redis's own clock, with a deadline each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from importlib import resources
from typing import Any, Final, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from messenger_shared import errors
from messenger_shared.errors import AppError
from presence.keys import Keys
from presence.ports import Outcome, Release, Report, Transition

T = TypeVar("T")

PREFIX: Final = "presence:"
LEASE_MS: Final = 15_000
PATIENCE_MS: Final = 5_000
RELEASED_AT_ONCE: Final = 500
ENDED_AT_ONCE: Final = 100
POOL_SIZE: Final = 4
SOCKET_TIMEOUT_S: Final = 1.0
STEP_TIMEOUT_S: Final = 2.0
RETRY_AFTER_MS: Final = 500


class RedisStore:
    """A Store in one Redis server, under the keys that start with `prefix`."""

    def __init__(
        self,
        url: str,
        prefix: str = PREFIX,
        lease_ms: int = LEASE_MS,
        patience_ms: int = PATIENCE_MS,
        released_at_once: int = RELEASED_AT_ONCE,
    ) -> None:
        self._keys = Keys(prefix)
        self._lease_ms = lease_ms
        self._patience_ms = patience_ms
        self._released_at_once = released_at_once
        self._redis = _client(url)
        self._report = self._redis.register_script(_lua("report"))
        self._ended = self._redis.register_script(_lua("ended"))
        self._release = self._redis.register_script(_lua("release"))

    async def start(self) -> None:
        """Raises AppError(unavailable) unless Redis answers."""
        await _step(self._redis.ping())

    async def stop(self) -> None:
        """Closes the connections."""
        await self._redis.aclose()

    async def report(self, report: Report) -> Outcome:
        """See Store.report."""
        flags = (report.gateway, report.number, self._lease_ms, int(report.full), len(report.opened))
        keys = self._keys_of(report.gateway)
        known, now, online, offline = await _step(
            self._report(keys, (*flags, *report.opened, *report.closed))
        )
        return Outcome(
            bool(known), [*_transitions(online, True, now, now), *_transitions(offline, False, now, now)]
        )

    async def leave(self, gateway: str) -> None:
        """See Store.leave."""
        await _step(self._redis.zadd(self._keys.leases, {gateway: 0}, xx=True))

    async def ended(self) -> list[str]:
        """See Store.ended."""
        keys = (self._keys.leases, self._keys.looked)
        found = await _step(self._ended(keys, (self._lease_ms, self._patience_ms, ENDED_AT_ONCE)))
        return [gateway.decode() for gateway in found]

    async def release(self, gateway: str) -> Release:
        """See Store.release."""
        arguments = (gateway, self._lease_ms, self._released_at_once)
        more, now, seen, offline = await _step(self._release(self._keys_of(gateway), arguments))
        return Release(list(_transitions(offline, False, now, seen)), bool(more))

    async def online(self, user_ids: Sequence[int]) -> list[int]:
        """See Store.online."""
        if not user_ids:
            return []
        counts = await _step(self._redis.hmget(self._keys.counts, [str(user_id) for user_id in user_ids]))
        return [user_id for user_id, count in zip(user_ids, counts, strict=True) if count is not None]

    def _keys_of(self, gateway: str) -> tuple[str, ...]:
        return self._keys.leases, self._keys.numbers, self._keys.counts, self._keys.users(gateway)


def _client(url: str) -> Redis:
    """Few connections and short deadlines: a frozen Redis must not gather waiting requests."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=POOL_SIZE,
        timeout=SOCKET_TIMEOUT_S,
        socket_timeout=SOCKET_TIMEOUT_S,
        socket_connect_timeout=SOCKET_TIMEOUT_S,
        # Once, for a connection that died while it was idle.
        retry=Retry(NoBackoff(), 1),
    )
    return Redis.from_pool(pool)


def _lua(name: str) -> str:
    folder = resources.files("presence") / "lua"
    return (folder / "prelude.lua").read_text() + (folder / f"{name}.lua").read_text()


async def _step(work: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(STEP_TIMEOUT_S):
            return await work
    except (RedisError, OSError, TimeoutError) as error:
        raise AppError(errors.UNAVAILABLE, retry_after_ms=RETRY_AFTER_MS) from error


def _transitions(users: Iterable[Any], online: bool, at_ms: int, seen_ms: int) -> Iterable[Transition]:
    return (Transition(int(user), online, at_ms, seen_ms) for user in users)
