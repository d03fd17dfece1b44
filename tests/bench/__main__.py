"""Owns the command line of the benchmark and the order of its runs."""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from tests.bench.programs import BenchError, Programs, compile_programs
from tests.bench.report import OURS, as_json, table
from tests.bench.servers import Server, embedded_stack, naive_server
from tests.bench.workloads import Bench, Result, Sizes
from tests.stack import StackFailed

NAIVE = "naive aiohttp"
# In this order: what an idle socket keeps in memory shows only while the servers are fresh.
WORKLOADS = ("connect", "w1", "w2")


def main() -> None:
    """Runs what was asked for; exit code 0 also where there is nothing to compile with."""
    options = _parser().parse_args()
    unknown = set(options.workloads) - set(WORKLOADS)
    if unknown:
        sys.exit(f"no workload {', '.join(sorted(unknown))}; there are {', '.join(WORKLOADS)}")
    with tempfile.TemporaryDirectory(prefix="messenger-bench-") as place:
        programs = compile_programs(Path(place))
        if programs is None:
            print(
                "bench: skipped: there is no C compiler (cc, gcc or clang) to build the load generator with"
            )
            return
        try:
            results = asyncio.run(_run(options, programs, Path(place)))
        except (BenchError, StackFailed) as error:
            sys.exit(f"bench: {error}")
        except KeyboardInterrupt:
            sys.exit("bench: stopped")
    print(f"\n{table(results)}")
    if options.json:
        options.json.write_text(json.dumps(as_json(results), indent=1, ensure_ascii=False) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description="CPU and memory per unit of work."
    )
    parser.add_argument(
        "workloads", nargs="*", default=WORKLOADS, metavar="WORKLOAD", help=" ".join(WORKLOADS)
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    parser.add_argument("--gateways", type=int, default=1, metavar="N", help="gateway workers (1)")
    parser.add_argument("--chat-apis", type=int, default=1, metavar="N", help="chat-api workers (1)")
    parser.add_argument(
        "--sockets", type=int, default=2_000, metavar="N", help="sockets of `connect` (2,000)"
    )
    return parser


async def _run(options: argparse.Namespace, programs: Programs, directory: Path) -> list[Result]:
    """Everything on our stack, then the same on the naive server over the same PostgreSQL."""
    sizes = Sizes(idle_sockets=options.sockets)
    workers = f"gateway={options.gateways},chat-api={options.chat_apis},presence=1"
    _say(f"starting the stack ({workers})")
    async with embedded_stack(OURS, directory, workers) as ours:
        results = await _measure(ours, options, Bench(ours, programs, directory, sizes))
        _say("starting the naive server")
        async with naive_server(NAIVE, directory, ours.database_url, ours.roots["postgres"]) as naive:
            results += await _measure(naive, options, Bench(naive, programs, directory, sizes))
    return results


async def _measure(server: Server, options: argparse.Namespace, bench: Bench) -> list[Result]:
    runs = {"connect": bench.connect, "w1": bench.fan_out, "w2": bench.durable}
    results: list[Result] = []
    for name in WORKLOADS:
        if name not in options.workloads:
            continue
        _say(f"{server.name}: {name}")
        results += await runs[name]()
    return results


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
