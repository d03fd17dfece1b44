"""Runs the measurements in turns, computes percentiles, and compares much data with little."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from tests.bench.history.samples import Sample, Samples

RATIO_MAX: Final = 1.5
_WARM_UP_SHARE: Final = 10
_HEADINGS: Final = ("", "access", "p50 small", "p50 large", "ratio", "p99 small", "p99 large", "ratio", "")


class Access(Protocol):
    """A way to one database."""

    name: str

    def operations(self) -> dict[str, Callable[[Sample], Awaitable[object]]]:
        """Returns what can be measured through it, by name."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two databases, accessed in one way."""

    access: Access
    places: Samples


@dataclass(frozen=True, slots=True)
class Comparison:
    """The times of one operation on both sides, in milliseconds."""

    operation: str
    access: str
    small: Sequence[float]
    large: Sequence[float]

    @property
    def p50_ratio(self) -> float:
        """Returns the ratio of the medians."""
        return percentile(self.large, 50) / percentile(self.small, 50)

    @property
    def p99_ratio(self) -> float:
        """Returns the ratio of the 99th percentiles."""
        return percentile(self.large, 99) / percentile(self.small, 99)

    @property
    def is_within_limit(self) -> bool:
        """Whether much data is as quick as little. Only the median decides; p99 is shown beside it."""
        return self.p50_ratio <= RATIO_MAX


async def compare(small: Side, large: Side, rounds: int) -> list[Comparison]:
    """Measures every operation on both sides, round after round; the sides take turns at being first."""
    warm_up = max(1, rounds // _WARM_UP_SHARE)
    sides = (small, large)
    operations = [side.access.operations() for side in sides]
    spent: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in operations[0]}
    for number in range(rounds + warm_up):
        for name, kept in spent.items():
            for which in (0, 1) if number % 2 else (1, 0):
                place = sides[which].places.sample(number)
                took = await _timed(operations[which][name], place)
                if number >= warm_up:
                    kept[which].append(took)
    return [Comparison(name, small.access.name, *kept) for name, kept in spent.items()]


def percentile(values: Sequence[float], percent: int) -> float:
    """Returns the value that `percent` per cent don't exceed."""
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


def table(comparisons: Sequence[Comparison]) -> str:
    """Returns the comparisons as aligned text."""
    rows = [_HEADINGS, *map(_cells, comparisons)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def as_json(comparisons: Sequence[Comparison]) -> list[dict[str, Any]]:
    """Returns the same results for machines."""
    return [
        {
            "operation": c.operation,
            "access": c.access,
            "p50_ms": [round(percentile(side, 50), 3) for side in (c.small, c.large)],
            "p99_ms": [round(percentile(side, 99), 3) for side in (c.small, c.large)],
            "p50_ratio": round(c.p50_ratio, 2),
            "p99_ratio": round(c.p99_ratio, 2),
        }
        for c in comparisons
    ]


def _cells(c: Comparison) -> tuple[str, ...]:
    return (
        c.operation,
        c.access,
        f"{percentile(c.small, 50):.2f} ms",
        f"{percentile(c.large, 50):.2f} ms",
        f"{c.p50_ratio:.2f}",
        f"{percentile(c.small, 99):.2f} ms",
        f"{percentile(c.large, 99):.2f} ms",
        f"{c.p99_ratio:.2f}",
        "" if c.is_within_limit else f"over {RATIO_MAX}",
    )


async def _timed(operation: Callable[[Sample], Awaitable[object]], place: Sample) -> float:
    begun = time.perf_counter()
    await operation(place)
    return (time.perf_counter() - begun) * 1_000
