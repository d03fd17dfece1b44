"""Defines the budgets, and renders results: a table for people, JSON for machines."""

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from tests.bench.workloads import MEMORY_KIB, Result

OURS = "messenger"
NAIVE = "naive aiohttp"
# The most CPU that the load generator may use, as a share of the servers' CPU.
GENERATOR_SHARE_MAX = 0.2


@dataclass(frozen=True)
class Budget:
    """The most that a workload may need on our server; `rate` is the least."""

    cost: float
    p50_ms: float | None = None
    p99_ms: float | None = None
    rate_per_s: float | None = None


BUDGETS = {
    "W1 burst": Budget(2),
    "W1 paced": Budget(10, p50_ms=7, p99_ms=18),
    "W2 durable": Budget(130, p99_ms=60, rate_per_s=10_000),
    "W3 connect": Budget(400),
    "W4 from the ring": Budget(600),
    "W3 idle": Budget(16),
}

_HEADINGS = (
    "",
    "server",
    "cost",
    "budget",
    "× send()",
    "rate",
    "p50",
    "p99",
    "p99.9",
    "memory",
    "generator",
    "others",
    "of which",
)


def over_budget(result: Result) -> list[str]:
    """Returns what exceeds our budget in this result."""
    budget = BUDGETS.get(result.workload)
    if budget is None or result.server != OURS:
        return []
    ceilings = {
        "cost": (result.cost, budget.cost),
        "p50": (result.p50_ms, budget.p50_ms),
        "p99": (result.p99_ms, budget.p99_ms),
    }
    over = [name for name, (found, most) in ceilings.items() if found is not None and most and found > most]
    if budget.rate_per_s and (result.rate_per_s or 0) < budget.rate_per_s:
        over.append("rate")
    return over


def table(results: Sequence[Result]) -> str:
    """Renders the results as aligned text, the servers of one workload below each other.

    "× send()" is the cost in bare send() calls, with the cost of one measured right after the workload.
    "memory" is that of all server processes together. "generator" is the load generator's own CPU, and its
    share of the servers' CPU. "others" is how busy the rest of the machine was: if it was very busy, trust
    the cost, but neither rate nor latency.
    """
    kinds = [(result.workload, result.load) for result in results]
    rows = [
        _HEADINGS,
        *map(_cells, sorted(results, key=lambda result: kinds.index((result.workload, result.load)))),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS) - 1)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in rows
    )


def _cells(result: Result) -> tuple[str, ...]:
    return (
        result.workload if result.load is None else f"{result.workload} {result.load}",
        result.server,
        f"{result.cost:.1f} {result.measure}/{result.unit}",
        _budget_cell(result),
        f"{result.cost / result.send_us:.1f} × {result.send_us:.1f}" if result.send_us else "–",
        f"{result.rate_per_s:,.0f}/s" if result.rate_per_s else "–",
        *(f"{ms:.1f} ms" if ms is not None else "–" for ms in (result.p50_ms, result.p99_ms, result.p999_ms)),
        f"{result.memory_mib:.0f} MiB" if result.memory_mib is not None else "–",
        _generator_cell(result),
        f"{result.others_cores:.2f} cores" if result.others_cores is not None else "–",
        ", ".join(f"{service} {cost:z.1f}" for service, cost in result.cost_by_service.items()),
    )


def _budget_cell(result: Result) -> str:
    if result.growth is not None:
        return f"{result.growth:.2f} × the first"
    budget = BUDGETS.get(result.workload)
    if budget is None or result.server != OURS:
        return ""
    over = over_budget(result)
    return f"≤ {budget.cost:g} {'KiB' if result.measure == MEMORY_KIB else 'µs'}, " + (
        f"over: {' '.join(over)}" if over else "met"
    )


def _generator_cell(result: Result) -> str:
    if result.generator_us is None:
        return "–"
    share = result.generator_us / result.cost
    return f"{result.generator_us:.1f} µs, {share:.0%}" + (" (much)" if share > GENERATOR_SHARE_MAX else "")


def as_json(results: Sequence[Result]) -> dict[str, Any]:
    """Returns the results with all counters, and the machine that they come from."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cores": os.cpu_count(),
            "kernel": platform.release(),
            "python": platform.python_version(),
        },
        "results": [_json_row(result) for result in results],
    }


def _json_row(result: Result) -> dict[str, Any]:
    return asdict(result) | {"cost": result.cost, "over_budget": over_budget(result)}
