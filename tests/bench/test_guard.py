"""Runs the small benchmark in every test run, so that no rise in cost goes unnoticed."""

import json
from pathlib import Path

import pytest

from tests.bench.guard import BASELINE, BUSY_CORES, Measurement, best_measurement, both, regressions
from tests.bench.programs import compile_programs

pytestmark = pytest.mark.alone


async def test_fan_out_and_durable_sends_cost_no_more_beside_the_naive_server_than_they_did(
    tmp_path: Path,
) -> None:
    programs = compile_programs(tmp_path)
    if programs is None:
        pytest.skip("there is no C compiler (cc, gcc or clang) to build the load generator with")
    baseline = json.loads(BASELINE.read_text())
    async with both(programs, tmp_path) as pair:
        best = await best_measurement(pair, baseline)
    found = regressions(baseline, best.shares)
    if found and best.others_cores > BUSY_CORES:
        pytest.skip(f"others kept {best.others_cores:.1f} cores busy, so this says nothing: {found}")
    assert not found


def test_a_share_that_rose_by_more_than_thirty_per_cent_is_named() -> None:
    assert regressions({"W1": 0.1, "W2": 0.2}, {"W1": 0.129, "W2": 0.261}) == [
        "W2: 0.261 of the naive server's cost, 1.30 × the baseline 0.2"
    ]


async def test_the_best_try_counts_and_a_good_one_is_the_last() -> None:
    class Noisy:
        tries = iter(
            (
                Measurement({"W1": 0.5, "W2": 0.1}, 1.0),
                Measurement({"W1": 0.1, "W2": 0.4}, 0.2),
                Measurement({"W1": 9.0, "W2": 9.0}, 2.0),
            )
        )

        async def measure(self) -> Measurement:
            return next(self.tries)

    noisy = Noisy()
    assert await best_measurement(noisy, {"W1": 0.1, "W2": 0.1}) == Measurement({"W1": 0.1, "W2": 0.1}, 0.2)
    assert next(noisy.tries).others_cores == 2.0
