"""Renders the results of the search benchmark: a table for people, JSON for machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from tests.bench.search.searching import P50_MAX_MS, P99_MAX_MS, Measured

_HEADINGS: Final = ("", "conversations", "", "p50", "p99", "partial", "hits", "searches", "failed", "")


def table(results: Sequence[Measured]) -> str:
    """Returns the results as aligned text."""
    rows = [_HEADINGS, *map(_cells, results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def as_json(results: Sequence[Measured]) -> list[dict[str, Any]]:
    """Returns the same results for machines."""
    return [asdict(result) | {"p50": result.p50, "p99": result.p99} for result in results]


def _cells(result: Measured) -> tuple[str, ...]:
    return (
        result.kind,
        f"{result.conversations:,}",
        result.state,
        f"{result.p50:.1f} ms",
        f"{result.p99:.1f} ms",
        f"{result.partial / max(1, len(result.ms)):.1%}",
        f"{result.hits / max(1, len(result.ms)):.1f}",
        str(len(result.ms)),
        str(result.failed),
        "" if result.is_within_budget else f"over {P50_MAX_MS:.0f} or {P99_MAX_MS:.0f} ms",
    )
