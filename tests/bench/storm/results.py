"""Computes the results of the runs: chat beside a storm and without, and the CPU of a reaction."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.faults.judge.lag import quantile

FRAMES_PER_S_MAX: Final = 4.0


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the chat. `storm` has the counts of the storm beside it; it is empty for a quiet run."""

    latencies_us: Sequence[int]
    cpu_s: dict[str, float]
    others_cores: float
    storm: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Results:
    """The results of all runs; `cost_us` is by service."""

    p99_quiet_ms: float
    p99_storm_ms: float
    frames_per_s: float
    most_in_a_second: int
    cost_us: dict[str, float]
    is_exact: bool
    is_within_limits: bool


def conclude(runs: Sequence[Run]) -> Results:
    """Combines the runs."""
    quiet, stormy = [run for run in runs if not run.storm], [run for run in runs if run.storm]
    storms = [run.storm for run in stormy]
    is_exact = all(one["is_told"] and one["is_equal"] and not one["refusals"] for one in storms)
    frames_per_s = max(one["frames_per_s"] for one in storms)
    return Results(
        percentile(quiet, 0.99),
        percentile(stormy, 0.99),
        frames_per_s,
        max(one["most_in_a_second"] for one in storms),
        {service: _cost(service, quiet, stormy) for service in quiet[0].cpu_s},
        is_exact,
        is_exact and frames_per_s <= FRAMES_PER_S_MAX,
    )


def percentile(runs: Sequence[Run], share: float) -> float:
    """Returns the time in ms within which this share of the runs' messages came."""
    return quantile([latency / 1e3 for run in runs for latency in run.latencies_us], share)


def table(runs: Sequence[Run], found: Results) -> str:
    """Renders the results."""
    costs = ", ".join(f"{service} {us:.0f}" for service, us in found.cost_us.items())
    return "\n".join(
        (
            *map(_line, runs),
            f"counts in all last frames equal the rows: {'yes' if found.is_exact else 'NO'}",
            f"{found.frames_per_s:.2f} frames a second and socket (at most {FRAMES_PER_S_MAX:.0f}), "
            f"{found.most_in_a_second} in any one second",
            f"chat p99 {found.p99_quiet_ms:.1f} ms quietly, {found.p99_storm_ms:.1f} ms beside the storm",
            f"{sum(found.cost_us.values()):.0f} µs per reaction ({costs})",
        )
    )


def _cost(service: str, quiet: Sequence[Run], stormy: Sequence[Run]) -> float:
    """Returns the CPU of a reaction in the service, in µs: storing, answering, and telling all sockets."""
    before = statistics.median(run.cpu_s[service] for run in quiet)
    return statistics.median((run.cpu_s[service] - before) * 1e6 / run.storm["reactions"] for run in stormy)


def _line(run: Run) -> str:
    chat = f"chat p50 {percentile([run], 0.5):.1f} ms, p99 {percentile([run], 0.99):.1f} ms"
    others = f"others {run.others_cores:.2f} cores"
    if not run.storm:
        return f"quiet  {chat}; {others}"
    one = run.storm
    return (
        f"storm  {chat}; {one['reactions']} reactions in {one['lasted_s']:.1f} s, refused {one['refusals']}, "
        f"ack p50 {one['ack_p50_s'] * 1e3:.0f} ms, p99 {one['ack_p99_s'] * 1e3:.0f} ms; "
        f"{one['frames']} frames, {one['rows']} rows; {others}"
    )
