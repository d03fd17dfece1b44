"""Computes the results of the runs: chat's 99th percentile, and the CPU of a transition."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.faults.judge.lag import quantile

FRAMES_MAX: Final = 1
P99_RATIO_MAX: Final = 1.2
RESAMPLES: Final = 200
# The shares of resamples below the two ends of the interval.
_ENDS: Final = (0.05, 0.95)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the chat, quiet or with flapping users."""

    flapping: bool
    latencies_us: Sequence[int]
    transitions: int
    frames: int
    rows: int
    most_frames_in_a_second: int
    cpu_s: dict[str, float]
    others_cores: float


@dataclass(frozen=True, slots=True)
class Results:
    """The results of all runs; `p99_interval` holds the ratio in nine of ten resamples, `cost_us` is by
    service.
    """

    p99_quiet_ms: float
    p99_flapping_ms: float
    p99_ratio: float
    p99_interval: tuple[float, float]
    most_frames_in_a_second: int
    cost_us: dict[str, float]
    is_within_limits: bool


def conclude(runs: Sequence[Run]) -> Results:
    """Combines the runs: in a single run, one pause of the machine determines the 99th percentile."""
    quiet, loud = ([run for run in runs if run.flapping is kind] for kind in (False, True))
    p99_quiet, p99_loud = percentile(quiet, 0.99), percentile(loud, 0.99)
    most = max(run.most_frames_in_a_second for run in loud)
    ratio = p99_loud / p99_quiet
    return Results(
        p99_quiet,
        p99_loud,
        ratio,
        _interval(quiet, loud),
        most,
        {service: _cost(service, quiet, loud) for service in quiet[0].cpu_s},
        most <= FRAMES_MAX and ratio <= P99_RATIO_MAX,
    )


def percentile(runs: Sequence[Run], share: float) -> float:
    """Returns the time in ms within which this share of the runs' messages came."""
    return quantile([latency / 1e3 for run in runs for latency in run.latencies_us], share)


def table(runs: Sequence[Run], found: Results) -> str:
    """Renders the results."""
    costs = ", ".join(f"{service} {us:.1f}" for service, us in found.cost_us.items())
    low, high = found.p99_interval
    return "\n".join(
        (
            *map(_line, runs),
            f"chat p99 {found.p99_quiet_ms:.2f} ms quietly, {found.p99_flapping_ms:.2f} ms meanwhile: "
            f"× {found.p99_ratio:.2f} (at most {P99_RATIO_MAX}; nine of ten resamples {low:.2f}-{high:.2f})",
            f"at most {found.most_frames_in_a_second} frames a second and socket (at most {FRAMES_MAX})",
            f"{sum(found.cost_us.values()):.1f} µs per transition ({costs})",
        )
    )


def _interval(quiet: Sequence[Run], loud: Sequence[Run]) -> tuple[float, float]:
    """Resamples whole runs, because the messages of one run are alike."""
    draw = random.Random(0).choices
    ratios = [
        percentile(draw(loud, k=len(loud)), 0.99) / percentile(draw(quiet, k=len(quiet)), 0.99)
        for _ in range(RESAMPLES)
    ]
    low, high = (quantile(ratios, end) for end in _ENDS)
    return low, high


def _cost(service: str, quiet: Sequence[Run], loud: Sequence[Run]) -> float:
    """Returns the CPU of a transition in the service, in µs."""
    before = statistics.median(run.cpu_s[service] for run in quiet)
    return statistics.median((run.cpu_s[service] - before) * 1e6 / run.transitions for run in loud)


def _line(run: Run) -> str:
    return (
        f"{'flapping' if run.flapping else 'quiet':9} chat p50 {percentile([run], 0.5):.2f} ms, "
        f"p99 {percentile([run], 0.99):.2f} ms; "
        f"{run.transitions} transitions, {run.frames} frames with {run.rows} rows, at most "
        f"{run.most_frames_in_a_second} a second; others {run.others_cores:.2f} cores"
    )
