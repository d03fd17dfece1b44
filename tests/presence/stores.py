"""The stores under test, each with a way to let time pass and to lose everything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from redis.asyncio import Redis

from presence.keys import Keys
from presence.ports import Choice, Report, Store, Transition
from presence.store import RedisStore, Timing
from tests.presence.memory_store import MemoryStore

# Time passes in whole seconds. The limits are half a second off, as Valkey's own clock runs on meanwhile.
TIMING: Final = Timing(
    grace_ms=2_500, lease_ms=15_500, settle_ms=4_500, max_sweep_gap_ms=5_500, users_per_step=3
)
NO_GRACE: Final = Timing(
    grace_ms=0, lease_ms=15_500, settle_ms=4_500, max_sweep_gap_ms=5_500, users_per_step=3
)
TICK_MS: Final = 1_000
LOADER: Final = "somebody"


class StoreHarness(Protocol):
    """A store, with control over its time and its data."""

    store: Store

    async def pass_time(self, ms: int) -> None:
        """Moves the store's clock, back if `ms` is negative."""

    async def empty(self) -> None:
        """Makes the store lose everything."""


class MemoryHarness:
    """The in-memory store."""

    def __init__(self, timing: Timing = TIMING) -> None:
        self.memory = MemoryStore(timing)
        self.store: Store = self.memory

    async def pass_time(self, ms: int) -> None:
        self.memory.now_ms += ms

    async def empty(self) -> None:
        self.memory.empty()


class RedisHarness:
    """The store in Redis. Its clock can't be set, so what it has written is moved the other way."""

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
        for mark in await self.redis.hkeys(keys.marks):
            if mark in (b"looked", b"since") or mark.startswith(b"claim "):
                await self.redis.hincrby(keys.marks, mark, -ms)

    async def empty(self) -> None:
        async for key in self.redis.scan_iter(f"{self.prefix}*"):
            await self.redis.delete(key)

    async def stop(self) -> None:
        """Removes what it has written."""
        await self.empty()
        await self.real.stop()
        await self.redis.aclose()


async def settle(harness: StoreHarness, *choices: Choice) -> None:
    """Makes every gateway report, and loads the choices."""
    await load(harness, *choices)
    await pass_time_with_sweeps(harness, TIMING.settle_ms + TICK_MS)


async def load(harness: StoreHarness, *choices: Choice) -> None:
    """Loads these as all choices."""
    assert await harness.store.load(LOADER, choices, first=True, last=True)


def full(gateway: str, number: int, *users: int, away: Sequence[int] = ()) -> Report:
    """Returns a report of all users of a gateway."""
    return Report(gateway, number, users, away, (), True)


def changes(
    gateway: str,
    number: int,
    opened: Sequence[int] = (),
    closed: Sequence[int] = (),
    away: Sequence[int] = (),
) -> Report:
    """Returns a report of the users who came, are away, and went."""
    return Report(gateway, number, opened, away, closed, False)


def as_set(transitions: Sequence[Transition]) -> set[tuple[int, str]]:
    """Returns each user with their new state; a user must not occur twice."""
    found = {(transition.user_id, transition.status) for transition in transitions}
    assert len(found) == len(transitions)
    return found


async def seen(harness: StoreHarness, *users: int) -> list[str]:
    """Returns how these users are seen."""
    return [state.shown for state in (await harness.store.states(users)).states]


async def pass_time_with_sweeps(harness: StoreHarness, ms: int) -> list[str]:
    """Lets time pass with a sweep every second; returns what the last sweep found."""
    expired: list[str] = (await harness.store.begin_sweep()).expired
    for _ in range(ms // TICK_MS):
        await harness.pass_time(TICK_MS)
        expired = (await harness.store.begin_sweep()).expired
    return expired
