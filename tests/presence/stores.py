"""Owns the stores under test: each one with a way to let time pass and to lose everything."""

from __future__ import annotations

from typing import Final, Protocol

from redis.asyncio import Redis

from presence.keys import Keys
from presence.ports import Report, Store, Transition
from presence.store import RedisStore
from tests.presence.memory_store import MemoryStore

# Time passes in whole seconds; half a second off, as Valkey's own clock runs on meanwhile.
LEASE_MS: Final = 15_500
PATIENCE_MS: Final = 5_500
RELEASED_AT_ONCE: Final = 3
TICK_MS: Final = 1_000


class Bench(Protocol):
    """A store and power over it."""

    store: Store

    async def pass_time(self, ms: int) -> None:
        """Moves the store's clock, back if `ms` is negative."""

    async def empty(self) -> None:
        """Makes the store lose everything."""


class MemoryBench:
    """The in-memory store."""

    def __init__(self, released_at_once: int = RELEASED_AT_ONCE) -> None:
        self.memory = MemoryStore(LEASE_MS, PATIENCE_MS, released_at_once)
        self.store: Store = self.memory

    async def pass_time(self, ms: int) -> None:
        self.memory.now_ms += ms

    async def empty(self) -> None:
        self.memory.empty()


class RedisBench:
    """The store in Redis; its clock can't be set, so what it has written is moved the other way."""

    def __init__(self, url: str, prefix: str, released_at_once: int = RELEASED_AT_ONCE) -> None:
        self.redis: Redis = Redis.from_url(url)
        self.prefix = prefix
        self.real = RedisStore(url, prefix, LEASE_MS, PATIENCE_MS, released_at_once)
        self.store: Store = self.real
        self._keys = Keys(prefix)

    async def pass_time(self, ms: int) -> None:
        for gateway in await self.redis.zrangebyscore(self._keys.leases, "(0", "+inf"):
            assert isinstance(gateway, bytes)
            await self.redis.zincrby(self._keys.leases, -ms, gateway)
        await self.redis.incrby(self._keys.looked, -ms)

    async def empty(self) -> None:
        async for key in self.redis.scan_iter(f"{self.prefix}*"):
            await self.redis.delete(key)

    async def stop(self) -> None:
        """Leaves nothing behind."""
        await self.empty()
        await self.real.stop()
        await self.redis.aclose()


def full(gateway: str, number: int, *users: int) -> Report:
    """A report of all users of a gateway."""
    return Report(gateway, number, users, (), True)


def changes(gateway: str, number: int, opened: tuple[int, ...] = (), closed: tuple[int, ...] = ()) -> Report:
    """A report of who came and who went."""
    return Report(gateway, number, opened, closed, False)


def brief(transitions: list[Transition]) -> set[tuple[int, bool]]:
    """Who, and whether online; a user must not occur twice."""
    found = {(transition.user_id, transition.online) for transition in transitions}
    assert len(found) == len(transitions)
    return found


async def watch(bench: Bench, ms: int) -> list[str]:
    """Lets time pass with a look every second, as a sweeper does; returns what the last look found."""
    ended: list[str] = await bench.store.ended()
    for _ in range(ms // TICK_MS):
        await bench.pass_time(TICK_MS)
        ended = await bench.store.ended()
    return ended
