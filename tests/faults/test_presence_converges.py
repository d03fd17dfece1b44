"""Kills gateways, Redis and presence while devices come and go: every state shown must become true again.

Nobody with a connected device is ever shown as offline. Last seen neither goes back nor lies in the future.
`MESSENGER_PRESENCE_FAULTS="100,20,20"` is a release's number of kills (gateway, redis, presence); the suite
uses a few.
"""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import time
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
from aiohttp.test_utils import unused_port
from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.e2e.crowd import open_crowd_at
from tests.faults.presence_world import Device, ObservedUser, Observer, PresenceWorld
from tests.faults.seeds import chosen_seed
from tests.stack import RunningStack, running_stack

FAULTS_VARIABLE = "MESSENGER_PRESENCE_FAULTS"
FAULTS = dict(
    zip(
        ("gateway", "redis", "presence"),
        map(int, (os.environ.get(FAULTS_VARIABLE) or "2,1,1").split(",")),
        strict=True,
    )
)
OBSERVED_USERS, DEVICES, OBSERVERS = 30, 3, 3
GRACE_MS = 1_000
GATEWAYS = 3
# From the kill of a gateway; for the others, from when Redis or presence is back.
LIMITS_S = {"gateway": 45.0, "redis": 10.0, "presence": 10.0}
BACK_S = 20.0
CHURN_S = (0.5, 2.0)
POLL_S = 0.05
TTL_S = 24 * 3_600
# One fault with all its waits, and the start of the stack: more than any takes.
EACH_S = 90


@pytest.fixture
async def own_stack(tmp_path: Path) -> AsyncIterator[RunningStack]:
    """A stack in which anything may be killed."""
    env = {"MESSENGER_PRESENCE_GRACE_MS": str(GRACE_MS)}
    workers = f"gateway={GATEWAYS},chat-api=1,presence=2"
    async with running_stack(tmp_path / "data", unused_port(), workers, env) as stack:
        yield stack


@pytest.mark.timeout(EACH_S * (1 + sum(FAULTS.values())))
async def test_presence_converges_whatever_is_killed(own_stack: RunningStack) -> None:
    random, errors = Random(chosen_seed()), []
    took: dict[str, list[float]] = {kind: [] for kind in FAULTS}
    plan = [kind for kind, times in FAULTS.items() for _ in range(times)]
    random.shuffle(plan)
    async with open_crowd_at(own_stack, TTL_S) as crowd:
        users, observers = crowd.newcomers(OBSERVED_USERS), crowd.newcomers(OBSERVERS)
        room = await observers[0].create_group(*(user.user_id for user in (*users, *observers)))
        observed_users = {user.user_id: ObservedUser(user) for user in users}
        world = PresenceWorld(
            [Observer(user, room, observed_users, errors) for user in observers], observed_users, random
        )
        world.devices = [
            Device(observed, random) for observed in observed_users.values() for _ in range(DEVICES)
        ]
        try:
            await world.churn(random.uniform(*CHURN_S))
            await _converge(world, errors, LIMITS_S["gateway"])
            for number, kind in enumerate(plan, 1):
                await world.churn(random.uniform(*CHURN_S))
                begun = await _kill(own_stack, kind, random)
                await world.churn(random.uniform(*CHURN_S))
                begun = max(begun, await _wait_until_back(own_stack, kind))
                await _converge(world, errors, LIMITS_S[kind])
                took[kind].append(time.monotonic() - begun)
                print(f"{number}/{len(plan)} {kind}: {took[kind][-1]:.1f} s", flush=True)
                assert errors == []
                await _wait_until_lease_expired(world, GATEWAYS)
        finally:
            await world.stop()
    for kind, times in took.items():
        if times:
            print(f"{kind}: median {statistics.median(times):.1f} s, at most {max(times):.1f} s")


async def _kill(stack: RunningStack, kind: str, random: Random) -> float:
    """Kills one process of this kind; returns when."""
    rows = (await stack.status())["processes"]
    role = "worker" if kind != "redis" else None
    pids = [row["pid"] for row in rows if row["service"] == kind and role in (None, row["role"])]
    os.kill(random.choice(pids), signal.SIGKILL)
    return time.monotonic()


async def _wait_until_back(stack: RunningStack, kind: str) -> float:
    """Returns when Redis answered again. The other kinds count from the kill: their peers go on meanwhile."""
    if kind == "redis":
        async with Redis.from_url(stack.redis_url) as client:
            deadline = time.monotonic() + BACK_S
            while time.monotonic() < deadline:
                try:
                    await client.ping()
                    break
                except (RedisError, OSError):
                    await asyncio.sleep(POLL_S)
    return time.monotonic()


async def _wait_until_lease_expired(world: PresenceWorld, gateways: int) -> None:
    """Waits until a killed gateway's lease is over: until then it holds users who have gone meanwhile."""
    deadline, listed = time.monotonic() + LIMITS_S["gateway"], 0
    while listed != gateways:
        assert time.monotonic() < deadline, f"{listed} gateways are counted"
        await asyncio.sleep(POLL_S)
        reply = await world.observers[0].user.get("/stats")
        # Presence may still be recovering from the fault.
        listed = len(reply.body["gateways"]) if reply.status == 200 else 0


async def _converge(world: PresenceWorld, errors: list[str], limit_s: float) -> None:
    """Waits until every observer and REST show the true state of everybody."""
    deadline, mismatches = time.monotonic() + limit_s, ["nobody has looked"]
    while mismatches and time.monotonic() < deadline:
        await asyncio.sleep(POLL_S)
        mismatches = world.mismatches() or await world.rest_mismatches(errors)
    assert not mismatches, mismatches[:10]
