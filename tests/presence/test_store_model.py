"""Owns the comparison of the two presence stores: whatever happens, both say the same."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from presence.ports import Choice, Report, Unloaded
from tests.presence.stores import NO_GRACE, TIMING, Bench, MemoryBench, RedisBench, brief, load

STEPS = 400
GATEWAYS = "abc"
USERS = range(1, 9)
WEIGHTS = {"report": 20, "leave": 2, "sweep": 8, "wait": 8, "choose": 4, "empty": 1}


@pytest.mark.parametrize("seed", range(6))
async def test_both_stores_agree(valkey_url: str, seed: int) -> None:
    chance = random.Random(seed)
    # Which users a step takes is not promised, so all go at once.
    timing = replace(NO_GRACE if seed % 2 else TIMING, taken_at_once=len(USERS) + 1)
    real, memory = RedisBench(valkey_url, f"model-{seed}:", timing), MemoryBench(timing)
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


async def _do(bench: Bench, kind: str, report: Report, choice: Choice, wait_ms: int) -> object:
    """Everything that can be seen of one step, but for moments and versions."""
    store = bench.store
    told: object = None
    if kind == "report":
        told = await _report(bench, report)
    elif kind == "leave":
        await store.leave(report.gateway)
    elif kind == "sweep":
        look = await store.look()
        ended = sorted(look.ended)
        steps: list[object] = [
            ended,
            look[1:],
            *[brief((await store.release(gateway)).transitions) for gateway in ended],
        ]
        told = [*steps, brief((await store.lapse()).transitions)]
    elif kind == "choose":
        chosen = await store.choose(choice)
        told = chosen.moved, chosen.transition and chosen.transition[1:3], chosen.transition is None
    elif kind == "wait":
        await bench.pass_time(wait_ms)
    else:
        await bench.empty()
    _, settled, states = await store.states(USERS)
    return told, settled, states, await store.totals()


async def _report(bench: Bench, report: Report) -> object:
    try:
        outcome = await bench.store.report(report)
    except Unloaded:
        await load(bench)
        return "loaded"
    return outcome.known, brief(outcome.transitions)
