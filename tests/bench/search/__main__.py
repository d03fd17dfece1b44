"""The command line of the search benchmark and the order of its runs."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from tests.bench.command import measured
from tests.bench.history.loader import fill
from tests.bench.history.rows import Rows
from tests.bench.search import report
from tests.bench.search.cold import may_drop_caches, restart_postgres
from tests.bench.search.indexing import index_all
from tests.bench.search.queries import Kind, kinds
from tests.bench.search.searching import Measured, Searches, merged, session
from tests.bench.search.shape import IN, conversations, searchers
from tests.bench.search.texts import texts
from tests.bench.servers import Server, embedded_stack

SEED: Final = 1
_MILLION: Final = 1_000_000
_WORKERS: Final = "gateway=1,chat-api=1,presence=1"
# Rows, their indexes, the search index, and the log of all of them.
_BYTES_PER_MESSAGE: Final = 2_000
_WARM_UP: Final = 20
_RESTARTS: Final = 3
WARM: Final = "warm"
RESTARTED: Final = "after a restart"


def main() -> None:
    """Exits with 1 when searches are too slow."""
    options = _parser().parse_args()
    free = shutil.disk_usage("/tmp").free
    sizes = [millions for millions in options.millions if free > millions * _MILLION * _BYTES_PER_MESSAGE]
    for millions in set(options.millions) - set(sizes):
        _say(f"{free / 2**30:.0f} GiB free is not enough for {millions:g} million messages")
    found = measured("search", lambda _programs, place: _run(options, sizes, place))
    if found is None:
        return
    if options.json:
        options.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    sys.exit(0 if found["within_budget"] else 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.search", description="Searches among many messages, and their index."
    )
    parser.add_argument(
        "--millions",
        type=float,
        nargs="*",
        default=[1.0, 10.0],
        metavar="N",
        help="millions of messages, one run each (1 10)",
    )
    parser.add_argument("--searches", type=int, default=200, metavar="N", help="per row of the table (200)")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="keep the filled databases there, and use them again"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    return parser


async def _run(options: argparse.Namespace, sizes: list[float], directory: Path) -> dict[str, Any]:
    wanted = kinds(SEED)
    found: dict[str, Any] = {"sizes": {}, "within_budget": True}
    for millions in sizes:
        place = (options.keep or directory) / f"{millions:g}"
        place.mkdir(parents=True, exist_ok=True)
        found["sizes"][f"{millions:g}"] = await _size(options, round(millions * _MILLION), wanted, place)
        if options.keep is None:
            shutil.rmtree(place)
    found["within_budget"] &= all(size["within_budget"] for size in found["sizes"].values())
    return found


async def _size(
    options: argparse.Namespace, messages: int, wanted: list[Kind], place: Path
) -> dict[str, Any]:
    """Fills a database, indexes it, and searches in it."""
    filled = place / "filled"
    if not filled.exists():
        async with embedded_stack("search", place, f"{_WORKERS},feed=0") as server:
            await asyncio.to_thread(_fill, server.database_url, messages)
        filled.touch()
    async with embedded_stack("search", place, f"{_WORKERS},feed=1") as server:
        indexed = await index_all(server, _say)
        print(*indexed.lines, sep="\n", flush=True)
        results = await _search(server, wanted, options.searches)
    print(f"\n{messages:,} messages\n{report.table(results)}\n", flush=True)
    return {
        "indexed": asdict(indexed),
        "searches": report.as_json(results),
        "within_budget": all(result.is_within_budget for result in results),
    }


def _fill(url: str, messages: int) -> None:
    planned = conversations(messages, SEED)
    found = texts(SEED)
    seconds, size = fill(url, Rows(planned, SEED, lambda _: next(found)))
    _say(f"{messages:,} messages in {len(planned):,} conversations, {size}, in {seconds:.0f} s")


async def _search(server: Server, wanted: list[Kind], count: int) -> list[Measured]:
    async with session(server) as http:
        searches = Searches(http, server, searchers())
        rows = [(kind, conversations) for kind in wanted for conversations in IN]
        warm = []
        for kind, conversations in rows:
            await searches.measure(kind, conversations, WARM, _WARM_UP)
            warm.append(await searches.measure(kind, conversations, WARM, count))
            _say(f"{kind.name}, {conversations:,} conversations: p50 {warm[-1].p50:.1f} ms")
        return warm + await _after_restarts(server, searches, rows, count)


async def _after_restarts(
    server: Server, searches: Searches, rows: list[tuple[Kind, int]], count: int
) -> list[Measured]:
    """Measures again after restarts: each time only a few searches of a kind, before the caches are warm."""
    each = max(1, count // 10)
    _say("restarts" if may_drop_caches() else "restarts; not as root, so the operating system's caches stay")
    parts: list[list[Measured]] = [[] for _ in rows]
    for number in range(_RESTARTS):
        await restart_postgres(server.database_url, searches)
        # Each kind is among the first once.
        first = number * len(rows) // _RESTARTS
        for place in (*range(first, len(rows)), *range(first)):
            kind, conversations = rows[place]
            parts[place].append(await searches.measure(kind, conversations, RESTARTED, each, number * each))
    return [merged(part) for part in parts]


def _say(text: str) -> None:
    print(f"search: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
