"""Owns the command line of the history benchmark and the order of its runs."""

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
from tests.bench.history.places import Places
from tests.bench.history.rest import open_rest
from tests.bench.history.shape import Shape
from tests.bench.history.stores import open_stores
from tests.bench.programs import BenchError
from tests.bench.servers import Server, embedded_stack, stop_on_sigterm
from tests.stack import StackFailed

_WORKERS: Final = "gateway=1,chat-api=1,presence=1"
# The busy users are in 500 conversations of either.
LITTLE: Final = Shape(messages=10_000, conversations=1_000, largest=1_000)
_LARGEST_SHARE: Final = 10
# Rows, their indexes, and the log that PostgreSQL writes ahead of both.
_BYTES_PER_MESSAGE: Final = 1_500


@dataclass(frozen=True, slots=True)
class _Filled:
    server: Server
    places: Places


def main() -> None:
    """Exit code 1 when an operation takes longer with much than it may."""
    options = _parser().parse_args()
    stop_on_sigterm()
    much = Shape(options.messages, options.conversations, options.messages // _LARGEST_SHARE)
    with tempfile.TemporaryDirectory(prefix="messenger-history-") as place:
        free = shutil.disk_usage(place).free
        if free < much.messages * _BYTES_PER_MESSAGE:
            sys.exit(f"history: {free / 2**30:.1f} GiB free in {place} is not enough")
        try:
            comparisons = asyncio.run(_run(much, options.rounds, Path(place)))
        except (BenchError, StackFailed) as error:
            sys.exit(f"history: {error}")
        except KeyboardInterrupt:
            sys.exit("history: stopped")
    print(f"\n{table(comparisons)}")
    if options.json:
        options.json.write_text(json.dumps(as_json(comparisons), indent=1) + "\n")
    sys.exit(0 if all(comparison.holds for comparison in comparisons) else 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.history", description="Latencies at much data beside those at little."
    )
    parser.add_argument("--messages", type=int, default=10_000_000, metavar="N", help="10,000,000")
    parser.add_argument("--conversations", type=int, default=10_000, metavar="N", help="10,000")
    parser.add_argument("--rounds", type=int, default=400, metavar="N", help="looks per operation (400)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser


async def _run(much: Shape, rounds: int, directory: Path) -> list[Comparison]:
    """Two stacks at once, filled one after the other, measured in turns."""
    async with (
        embedded_stack("little", directory / "little", _WORKERS) as first,
        embedded_stack("much", directory / "much", _WORKERS) as second,
    ):
        sides = [await _fill(first, LITTLE), await _fill(second, much)]
        return [*await _through_stores(sides, rounds), *await _through_rest(sides, rounds)]


async def _fill(server: Server, shape: Shape) -> _Filled:
    loaded = await asyncio.to_thread(load, server.database_url, shape)
    _say(
        f"{server.name}: {shape.messages:,} messages in {shape.conversations:,} conversations, "
        f"{loaded.size}, in {loaded.seconds:.0f} s"
    )
    return _Filled(server, Places(loaded))


async def _through_stores(sides: list[_Filled], rounds: int) -> list[Comparison]:
    _say("through the stores")
    async with contextlib.AsyncExitStack() as stack:
        little, much = [
            Side(
                await stack.enter_async_context(open_stores(side.server.database_url, side.places)),
                side.places,
            )
            for side in sides
        ]
        return await compare(little, much, rounds)


async def _through_rest(sides: list[_Filled], rounds: int) -> list[Comparison]:
    _say("through REST")
    async with contextlib.AsyncExitStack() as stack:
        little, much = [
            Side(await stack.enter_async_context(open_rest(side.server, side.places)), side.places)
            for side in sides
        ]
        return await compare(little, much, rounds)


def _say(text: str) -> None:
    print(f"history: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
