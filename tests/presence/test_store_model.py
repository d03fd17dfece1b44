"""Owns the comparison of the two presence stores: whatever happens, both say the same."""

from __future__ import annotations

import random

import pytest

from presence.ports import Report
from tests.presence.stores import Bench, MemoryBench, RedisBench, brief

STEPS = 400
GATEWAYS = "abc"
USERS = range(1, 9)


@pytest.mark.parametrize("seed", range(5))
async def test_both_stores_agree(valkey_url: str, seed: int) -> None:
    chance = random.Random(seed)
    # Which users a step of a release takes is not promised, so all go at once.
    real = RedisBench(valkey_url, f"model-{seed}:", released_at_once=len(USERS))
    memory = MemoryBench(released_at_once=len(USERS))
    await real.empty()
    try:
        for number in range(1, STEPS):
            step = _step(chance, number)
            assert await _do(memory, *step) == await _do(real, *step), f"seed {seed}, step {number}: {step}"
    finally:
        await real.stop()


def _step(chance: random.Random, number: int) -> tuple[str, Report, int]:
    kind = chance.choices(("report", "leave", "sweep", "wait"), (10, 1, 4, 4))[0]
    users = chance.sample(USERS, chance.randint(0, 5))
    split = chance.randint(0, len(users))
    report = Report(
        gateway=chance.choice(GATEWAYS),
        number=max(1, number - chance.choice((0, 0, 0, 0, 20))),
        opened=users[:split],
        closed=users[split:],
        full=chance.random() < 0.3,
    )
    return kind, report, chance.choice((1_000, 3_000, 3_000, 8_000, -60_000))


async def _do(bench: Bench, kind: str, report: Report, wait_ms: int) -> object:
    """Everything that can be seen of one step."""
    told: object = None
    if kind == "report":
        outcome = await bench.store.report(report)
        told = outcome.known, brief(outcome.transitions)
    elif kind == "leave":
        await bench.store.leave(report.gateway)
    elif kind == "sweep":
        ended = await bench.store.ended()
        told = {gateway: brief((await bench.store.release(gateway)).transitions) for gateway in sorted(ended)}
    else:
        await bench.pass_time(wait_ms)
    return told, await bench.store.online(USERS)
