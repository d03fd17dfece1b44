"""The storm's results: what a reaction costs, and when a run isn't exact."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bench.storm.results import Run, conclude

STORM = {
    "reactions": 100,
    "refusals": {},
    "frames_per_s": 3.9,
    "most_in_a_second": 5,
    "is_told": True,
    "is_equal": True,
}


def runs(**changes: Any) -> list[Run]:
    quiet = Run([1_000, 2_000], {"gateway": 1.0}, 0.0, {})
    return [quiet, Run([3_000, 9_000], {"gateway": 1.5}, 0.0, {**STORM, **changes})]


def test_a_reaction_costs_what_a_storm_takes_more_than_a_quiet_run() -> None:
    found = conclude(runs())
    assert found.cost_us == {"gateway": pytest.approx(5_000)}
    assert (found.p99_quiet_ms, found.p99_storm_ms, found.is_within_limits) == (2.0, 9.0, True)


@pytest.mark.parametrize(
    "changes", [{"is_equal": False}, {"is_told": False}, {"refusals": {"timeout": 1}}, {"frames_per_s": 4.1}]
)
def test_what_differs_or_comes_too_often_fails_the_benchmark(changes: dict[str, Any]) -> None:
    assert not conclude(runs(**changes)).is_within_limits
