"""Owns the runs in turns, their percentiles, and the table that sets much beside little."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from tests.bench.history.places import Place, Places

RATIO_MAX: Final = 1.5
_WARM_UP_SHARE: Final = 10
_HEADINGS: Final = ("", "door", "p50 little", "p50 much", "ratio", "p99 little", "p99 much", "ratio", "")


class Door(Protocol):
    """A way to one database."""

    name: str

    def operations(self) -> dict[str, Callable[[Place], Awaitable[object]]]:
        """What can be measured through it."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two databases, through one door."""

    door: Door
    places: Places


@dataclass(frozen=True, slots=True)
class Comparison:
    """One operation on both sides, in milliseconds."""

    operation: str
    door: str
    little: Sequence[float]
    much: Sequence[float]

    @property
    def p50_ratio(self) -> float:
        """How many times longer the middle one takes."""
        return percentile(self.much, 50) / percentile(self.little, 50)

    @property
    def p99_ratio(self) -> float:
        """How many times longer the slow ones take."""
        return percentile(self.much, 99) / percentile(self.little, 99)

    @property
    def holds(self) -> bool:
        """Whether much is as quick as little; the middle decides, p99 is shown beside it."""
        return self.p50_ratio <= RATIO_MAX


async def compare(little: Side, much: Side, rounds: int) -> list[Comparison]:
    """Every operation on one side and then on the other, round after round, each side first in turn."""
    warm_up = max(1, rounds // _WARM_UP_SHARE)
    sides = (little, much)
    operations = [side.door.operations() for side in sides]
    spent: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in operations[0]}
    for number in range(rounds + warm_up):
        for name, kept in spent.items():
            for which in (0, 1) if number % 2 else (1, 0):
                place = sides[which].places.look(number)
                took = await _timed(operations[which][name], place)
                if number >= warm_up:
                    kept[which].append(took)
    return [Comparison(name, little.door.name, *kept) for name, kept in spent.items()]


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that `percent` of a hundred don't exceed."""
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


def table(comparisons: Sequence[Comparison]) -> str:
    """The comparisons as aligned text."""
    rows = [_HEADINGS, *map(_cells, comparisons)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def as_json(comparisons: Sequence[Comparison]) -> list[dict[str, Any]]:
    """The figures of the table for machines."""
    return [
        {
            "operation": c.operation,
            "door": c.door,
            "p50_ms": [round(percentile(side, 50), 3) for side in (c.little, c.much)],
            "p99_ms": [round(percentile(side, 99), 3) for side in (c.little, c.much)],
            "p50_ratio": round(c.p50_ratio, 2),
            "p99_ratio": round(c.p99_ratio, 2),
        }
        for c in comparisons
    ]


def _cells(c: Comparison) -> tuple[str, ...]:
    return (
        c.operation,
        c.door,
        f"{percentile(c.little, 50):.2f} ms",
        f"{percentile(c.much, 50):.2f} ms",
        f"{c.p50_ratio:.2f}",
        f"{percentile(c.little, 99):.2f} ms",
        f"{percentile(c.much, 99):.2f} ms",
        f"{c.p99_ratio:.2f}",
        "" if c.holds else f"over {RATIO_MAX}",
    )


async def _timed(operation: Callable[[Place], Awaitable[object]], place: Place) -> float:
    begun = time.perf_counter()
    await operation(place)
    return (time.perf_counter() - begun) * 1_000
