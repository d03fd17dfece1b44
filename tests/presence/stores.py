"""Owns the stores under test: each one with a way to let time pass and to lose everything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from redis.asyncio import Redis

from presence.keys import Keys
from presence.ports import Choice, Report, Store, Transition
from presence.store import RedisStore, Timing
from tests.presence.memory_store import MemoryStore

# Time passes in whole seconds; half a second off, as Valkey's own clock runs on meanwhile.
TIMING: Final = Timing(grace_ms=2_500, lease_ms=15_500, settle_ms=4_500, patience_ms=5_500, taken_at_once=3)
NO_GRACE: Final = Timing(grace_ms=0, lease_ms=15_500, settle_ms=4_500, patience_ms=5_500, taken_at_once=3)
TICK_MS: Final = 1_000
LOADER: Final = "somebody"


class Bench(Protocol):
    """A store and power over it."""

    store: Store

    async def pass_time(self, ms: int) -> None:
        """Moves the store's clock, back if `ms` is negative."""

    async def empty(self) -> None:
        """Makes the store lose everything."""


class MemoryBench:
    """The in-memory store."""

    def __init__(self, timing: Timing = TIMING) -> None:
        self.memory = MemoryStore(timing)
        self.store: Store = self.memory

    async def pass_time(self, ms: int) -> None:
        self.memory.now_ms += ms

    async def empty(self) -> None:
        self.memory.empty()


class RedisBench:
    """The store in Redis; its clock can't be set, so what it has written is moved the other way."""

    def __init__(self, url: str, prefix: str, timing: Timing = TIMING) -> None:
        self.redis: Redis = Redis.from_url(url)
        self.prefix = prefix
        self.real = RedisStore(url, timing, prefix)
        self.store: Store = self.real
        self._keys = Keys(prefix)

    async def pass_time(self, ms: int) -> None:
        keys = self._keys
        for key, lowest in ((keys.leases, "(0"), (keys.leaving, "-inf")):
            for member in await self.redis.zrangebyscore(key, lowest, "+inf"):
                await self.redis.zincrby(key, -ms, member)
        for user in await self.redis.hkeys(keys.left):
            await self.redis.hincrby(keys.left, user, -ms)
        for mark in ("looked", "since"):
            if await self.redis.hexists(keys.marks, mark):
                await self.redis.hincrby(keys.marks, mark, -ms)

    async def empty(self) -> None:
        async for key in self.redis.scan_iter(f"{self.prefix}*"):
            await self.redis.delete(key)

    async def stop(self) -> None:
        """Leaves nothing behind."""
        await self.empty()
        await self.real.stop()
        await self.redis.aclose()


async def settle(bench: Bench, *choices: Choice) -> None:
    """Everybody has reported that there is, and the choices are loaded."""
    await load(bench, *choices)
    await watch(bench, TIMING.settle_ms + TICK_MS)


async def load(bench: Bench, *choices: Choice) -> None:
    """These are all the choices."""
    assert await bench.store.load(LOADER, choices, first=True, last=True)


def full(gateway: str, number: int, *users: int, away: Sequence[int] = ()) -> Report:
    """A report of all users of a gateway."""
    return Report(gateway, number, users, away, (), True)


def changes(
    gateway: str,
    number: int,
    opened: Sequence[int] = (),
    closed: Sequence[int] = (),
    away: Sequence[int] = (),
) -> Report:
    """A report of who came, is away and went."""
    return Report(gateway, number, opened, away, closed, False)


def brief(transitions: Sequence[Transition]) -> set[tuple[int, str]]:
    """Who, and how he is seen now; a user must not occur twice."""
    found = {(transition.user_id, transition.status) for transition in transitions}
    assert len(found) == len(transitions)
    return found


async def seen(bench: Bench, *users: int) -> list[str]:
    """How these are seen."""
    return [state.seen for state in (await bench.store.states(users)).states]


async def watch(bench: Bench, ms: int) -> list[str]:
    """Lets time pass with a look every second, as a sweeper does; returns what the last look found."""
    ended: list[str] = (await bench.store.look()).ended
    for _ in range(ms // TICK_MS):
        await bench.pass_time(TICK_MS)
        ended = (await bench.store.look()).ended
    return ended
