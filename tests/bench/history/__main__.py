"""The command line of the history benchmark and the order of its runs."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.history.loader import load
from tests.bench.history.measure import Comparison, Side, as_json, compare, table
from tests.bench.history.rest import open_rest
from tests.bench.history.samples import Samples
from tests.bench.history.shape import Shape
from tests.bench.history.stores import open_stores
from tests.bench.programs import BenchError
from tests.bench.servers import Server, embedded_stack, stop_on_sigterm
from tests.stack import StackFailed

# A feed would index the loaded messages while latencies are measured.
_WORKERS: Final = "gateway=1,chat-api=1,presence=1,feed=0"
# The busy users are in 500 conversations in either database.
SMALL: Final = Shape(messages=10_000, conversations=1_000, largest=1_000)
_LARGEST_SHARE: Final = 10
# Rows, their indexes, and PostgreSQL's write-ahead log of both.
_BYTES_PER_MESSAGE: Final = 1_500


@dataclass(frozen=True, slots=True)
class _Filled:
    server: Server
    places: Samples


def main() -> None:
    """Exits with 1 when an operation on the large database is too slow."""
    options = _parser().parse_args()
    stop_on_sigterm()
    large = Shape(options.messages, options.conversations, options.messages // _LARGEST_SHARE)
    with tempfile.TemporaryDirectory(prefix="messenger-history-") as place:
        free = shutil.disk_usage(place).free
        if free < large.messages * _BYTES_PER_MESSAGE:
            sys.exit(f"history: {free / 2**30:.1f} GiB free in {place} is not enough")
        try:
            comparisons = asyncio.run(_run(large, options.rounds, Path(place)))
        except (BenchError, StackFailed) as error:
            sys.exit(f"history: {error}")
        except KeyboardInterrupt:
            sys.exit("history: stopped")
    print(f"\n{table(comparisons)}")
    if options.json:
        options.json.write_text(json.dumps(as_json(comparisons), indent=1) + "\n")
    sys.exit(0 if all(comparison.is_within_limit for comparison in comparisons) else 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.history", description="Latencies at much data beside those at little."
    )
    parser.add_argument("--messages", type=int, default=10_000_000, metavar="N", help="10,000,000")
    parser.add_argument("--conversations", type=int, default=10_000, metavar="N", help="10,000")
    parser.add_argument("--rounds", type=int, default=400, metavar="N", help="looks per operation (400)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    return parser


async def _run(large: Shape, rounds: int, directory: Path) -> list[Comparison]:
    """Runs two stacks at once, fills one after the other, and measures them in turns."""
    async with (
        embedded_stack("small", directory / "small", _WORKERS) as first,
        embedded_stack("large", directory / "large", _WORKERS) as second,
    ):
        sides = [await _fill(first, SMALL), await _fill(second, large)]
        return [*await _through_stores(sides, rounds), *await _through_rest(sides, rounds)]


async def _fill(server: Server, shape: Shape) -> _Filled:
    loaded = await asyncio.to_thread(load, server.database_url, shape)
    _print(
        f"{server.name}: {shape.messages:,} messages in {shape.conversations:,} conversations, "
        f"{loaded.size}, in {loaded.seconds:.0f} s"
    )
    return _Filled(server, Samples(loaded))


async def _through_stores(sides: list[_Filled], rounds: int) -> list[Comparison]:
    _print("through the stores")
    async with contextlib.AsyncExitStack() as stack:
        small, large = [
            Side(
                await stack.enter_async_context(open_stores(side.server.database_url, side.places)),
                side.places,
            )
            for side in sides
        ]
        return await compare(small, large, rounds)


async def _through_rest(sides: list[_Filled], rounds: int) -> list[Comparison]:
    _print("through REST")
    async with contextlib.AsyncExitStack() as stack:
        small, large = [
            Side(await stack.enter_async_context(open_rest(side.server, side.places)), side.places)
            for side in sides
        ]
        return await compare(small, large, rounds)


def _print(text: str) -> None:
    print(f"history: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
