"""The regression guard: the cost of workloads relative to the naive server in the same run, and its limits.

An absolute cost says little about an unknown machine, and less about a busy one. Whatever slows our server
slows the naive one too. A new baseline: `python -m tests.bench.guard`, on a quiet machine.
"""

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, Protocol

from tests.bench.programs import Programs, compile_programs
from tests.bench.report import NAIVE, OURS
from tests.bench.servers import embedded_stack, naive_server, stop_on_sigterm
from tests.bench.workloads import Bench, Result, Sizes

BASELINE = Path(__file__).with_name("baseline.json")
RISE_MAX = 1.3
# The pace of a shared machine may change by half from one second to the next.
TRIES = 8
# When other programs keep more cores busy than this, a failure proves nothing.
BUSY_CORES = (os.cpu_count() or 1) / 4
_BASELINE_ROUNDS = 9
# What the feed costs is measured by tests/bench/search.
_WORKERS = "gateway=1,chat-api=1,presence=1,feed=0"
_SIZES = Sizes(fanout_sockets=500, paced_per_s=50, paced_s=2, durable_s=3)
# A burst on our server costs a tenth of the naive one's, so it is longer: CPU is counted in ticks of 10 ms.
_OUR_SIZES = replace(_SIZES, fanout_messages=2_000)


class Measurement(NamedTuple):
    """The cost of each guarded workload on our server, divided by its cost on the naive server."""

    shares: Mapping[str, float]
    # How many cores all other programs kept busy, at most.
    others_cores: float

    def better_of(self, other: "Measurement") -> "Measurement":
        """Takes the lower cost of each workload: a disturbance can only raise it."""
        shares = {name: min(share, other.shares[name]) for name, share in self.shares.items()}
        return Measurement(shares, min(self.others_cores, other.others_cores))


class Measurable(Protocol):
    """Anything that can be measured repeatedly."""

    async def measure(self) -> Measurement:
        """Makes one try."""


class Pair:
    """The naive server and ours, over one PostgreSQL."""

    def __init__(self, naive: Bench, ours: Bench) -> None:
        self._naive = naive
        self._ours = ours

    async def measure(self) -> Measurement:
        """Runs each workload on both servers, one after the other."""
        shares, others = {}, 0.0
        for run in (Bench.burst, Bench.paced, Bench.sends):
            naive: Result = await run(self._naive)
            ours: Result = await run(self._ours)
            shares[ours.workload] = ours.cost / naive.cost
            others = max(others, naive.others_cores or 0, ours.others_cores or 0)
        return Measurement(shares, others)


@contextlib.asynccontextmanager
async def both(programs: Programs, directory: Path) -> AsyncIterator[Pair]:
    """Yields both servers, ready."""
    async with (
        embedded_stack(OURS, directory, _WORKERS) as ours,
        naive_server(NAIVE, directory, ours.database_url, ours.roots["postgres"]) as naive,
    ):
        yield Pair(
            Bench(naive, programs, directory, _SIZES, with_reference=False),
            Bench(ours, programs, directory, _OUR_SIZES, with_reference=False),
        )


def regressions(baseline: Mapping[str, float], best: Mapping[str, float]) -> list[str]:
    """Returns a line for each workload whose relative cost is too far above its baseline."""
    return [
        f"{name}: {best[name]:.3f} of the naive server's cost, {best[name] / was:.2f} × the baseline {was:g}"
        for name, was in baseline.items()
        if best[name] > was * RISE_MAX
    ]


async def best_measurement(pair: Measurable, baseline: Mapping[str, float]) -> Measurement:
    """Makes up to TRIES tries, until each workload was within its limit once."""
    best = await pair.measure()
    for _ in range(TRIES - 1):
        if not regressions(baseline, best.shares):
            break
        best = best.better_of(await pair.measure())
    return best


async def _measure_baseline() -> None:
    with tempfile.TemporaryDirectory(prefix="messenger-guard-") as place:
        programs = compile_programs(Path(place))
        if programs is None:
            sys.exit("guard: there is no C compiler")
        async with both(programs, Path(place)) as pair:
            rounds = []
            for _ in range(_BASELINE_ROUNDS):
                found = await pair.measure()
                rounds.append(found.shares)
                print({name: round(share, 3) for name, share in found.shares.items()}, end=", ")
                print(f"others {found.others_cores:.1f} cores", flush=True)
    # The median. The best would be luck, and a limit for all later runs.
    middle = {name: round(sorted(each[name] for each in rounds)[len(rounds) // 2], 3) for name in rounds[0]}
    BASELINE.write_text(json.dumps(middle, indent=1) + "\n")


if __name__ == "__main__":
    stop_on_sigterm()
    asyncio.run(_measure_baseline())
