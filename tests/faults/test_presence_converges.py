"""Gateways, Redis and presence are killed while devices come and go: each time all is seen as it is.

Nobody with a device up is ever told to be offline, and last seen goes neither back nor into the future.
`MESSENGER_PRESENCE_FAULTS="100,20,20"` is a release's number of kills (gateway, redis, presence); the suite
has a few.
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
from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.e2e.crowd import gathered_at
from tests.faults.presence_world import Device, Looker, PresenceWorld, Subject
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
SUBJECTS, DEVICES, LOOKERS = 30, 3, 3
GRACE_MS = 1_000
# From the kill of a gateway; from when Redis or presence is there again.
LIMITS_S = {"gateway": 45.0, "redis": 10.0, "presence": 10.0}
BACK_S = 20.0
CHURN_S = (0.5, 2.0)
POLL_S = 0.05
TTL_S = 24 * 3_600
# One fault with all that is waited for, and the start of the stack: more than any takes.
EACH_S = 90


@pytest.fixture
async def own_stack(tmp_path: Path, free_port: int) -> AsyncIterator[RunningStack]:
    """A stack in which anything may be killed."""
    env = {"MESSENGER_PRESENCE_GRACE_MS": str(GRACE_MS)}
    workers = "gateway=3,chat-api=1,presence=2"
    async with running_stack(tmp_path / "data", free_port + 1, workers, env) as stack:
        yield stack


@pytest.mark.timeout(EACH_S * (1 + sum(FAULTS.values())))
async def test_presence_converges_whatever_is_killed(own_stack: RunningStack) -> None:
    random, faults = Random(chosen_seed()), []
    took: dict[str, list[float]] = {kind: [] for kind in FAULTS}
    plan = [kind for kind, times in FAULTS.items() for _ in range(times)]
    random.shuffle(plan)
    async with gathered_at(own_stack, TTL_S) as crowd:
        people, lookers = crowd.newcomers(SUBJECTS), crowd.newcomers(LOOKERS)
        room = await lookers[0].create_group(*(person.user_id for person in (*people, *lookers)))
        subjects = {person.user_id: Subject(person) for person in people}
        world = PresenceWorld(
            [Looker(person, room, subjects, faults) for person in lookers], subjects, random
        )
        world.devices = [Device(subject, random) for subject in subjects.values() for _ in range(DEVICES)]
        try:
            await world.churn(random.uniform(*CHURN_S))
            await _converge(world, faults, LIMITS_S["gateway"])
            for number, kind in enumerate(plan, 1):
                await world.churn(random.uniform(*CHURN_S))
                begun = await _kill(own_stack, kind, random)
                await world.churn(random.uniform(*CHURN_S))
                begun = max(begun, await _is_back(own_stack, kind))
                await _converge(world, faults, LIMITS_S[kind])
                took[kind].append(time.monotonic() - begun)
                print(f"{number}/{len(plan)} {kind}: {took[kind][-1]:.1f} s", flush=True)
                assert faults == []
        finally:
            await world.stop()
    for kind, times in took.items():
        if times:
            print(f"{kind}: median {statistics.median(times):.1f} s, at most {max(times):.1f} s")


async def _kill(stack: RunningStack, kind: str, random: Random) -> float:
    """Kills one process of the kind; when that was."""
    rows = (await stack.status())["processes"]
    role = "worker" if kind != "redis" else None
    pids = [row["pid"] for row in rows if row["service"] == kind and role in (None, row["role"])]
    os.kill(random.choice(pids), signal.SIGKILL)
    return time.monotonic()


async def _is_back(stack: RunningStack, kind: str) -> float:
    """When Redis answers again; the others are replaced beside those who do their work meanwhile."""
    if kind == "redis":
        async with Redis.from_url(stack.redis_url) as client:
            ends = time.monotonic() + BACK_S
            while time.monotonic() < ends:
                try:
                    await client.ping()
                    break
                except (RedisError, OSError):
                    await asyncio.sleep(POLL_S)
    return time.monotonic()


async def _converge(world: PresenceWorld, faults: list[str], limit_s: float) -> None:
    """Waits until everybody is seen as he is, by all and over REST."""
    ends, wrong = time.monotonic() + limit_s, ["nobody has looked"]
    while wrong and time.monotonic() < ends:
        await asyncio.sleep(POLL_S)
        wrong = world.wrong() or await world.wrong_over_rest(faults)
    assert not wrong, wrong[:10]
