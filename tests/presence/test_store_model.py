"""Compares the two presence stores: both give the same answers, whatever happens."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from presence.ports import Choice, ChoicesNotLoaded, Report
from tests.presence.stores import NO_GRACE, TIMING, MemoryHarness, RedisHarness, StoreHarness, as_set, load

STEPS = 400
GATEWAYS = "abc"
USERS = range(1, 9)
WEIGHTS = {"report": 20, "leave": 2, "sweep": 8, "wait": 8, "choose": 4, "empty": 1}


@pytest.mark.parametrize("seed", range(6))
async def test_both_stores_agree(valkey_url: str, seed: int) -> None:
    chance = random.Random(seed)
    # Which users a step takes is not promised, so every step takes all.
    timing = replace(NO_GRACE if seed % 2 else TIMING, users_per_step=len(USERS) + 1)
    real, memory = RedisHarness(valkey_url, f"model-{seed}:", timing), MemoryHarness(timing)
    await real.empty()
    try:
        for number in range(1, STEPS):
            step = _step(chance, number)
            assert await _do(memory, *step) == await _do(real, *step), f"seed {seed}, step {number}: {step}"
    finally:
        await real.stop()


def _step(chance: random.Random, number: int) -> tuple[str, Report, Choice, int]:
    [kind] = chance.choices(list(WEIGHTS), list(WEIGHTS.values()))
    users = chance.sample(USERS, chance.randint(0, 6))
    some, others = sorted(chance.randint(0, len(users)) for _ in range(2))
    report = Report(
        gateway=chance.choice(GATEWAYS),
        number=max(1, number - chance.choice((0, 0, 0, 0, 20))),
        opened=users[:some],
        away=users[some:others],
        closed=users[others:],
        full=chance.random() < 0.3,
        connections=number,
    )
    version = max(1, number - chance.choice((0, 0, 30)))
    choice = Choice(chance.choice(USERS), version, chance.random() < 0.5, chance.random() < 0.5)
    return kind, report, choice, chance.choice((1_000, 1_000, 3_000, 3_000, 8_000, -60_000))


async def _do(harness: StoreHarness, kind: str, report: Report, choice: Choice, wait_ms: int) -> object:
    """Carries out one step; returns all that it shows, except times and versions."""
    store = harness.store
    shown: object = None
    if kind == "report":
        shown = await _report(harness, report)
    elif kind == "leave":
        await store.leave(report.gateway)
    elif kind == "sweep":
        info = await store.begin_sweep()
        expired = sorted(info.expired)
        steps: list[object] = [
            expired,
            info[1:],
            *[as_set((await store.release(gateway)).transitions) for gateway in expired],
        ]
        shown = [*steps, as_set((await store.end_grace_periods()).transitions)]
    elif kind == "choose":
        chosen = await store.choose(choice)
        shown = chosen.has_changed, chosen.transition and chosen.transition[1:3], chosen.transition is None
    elif kind == "wait":
        await harness.pass_time(wait_ms)
    else:
        await harness.empty()
    _, settled, states = await store.states(USERS)
    return shown, settled, states, await store.totals()


async def _report(harness: StoreHarness, report: Report) -> object:
    try:
        outcome = await harness.store.report(report)
    except ChoicesNotLoaded:
        await load(harness)
        return "loaded"
    return outcome.known, as_set(outcome.transitions)
