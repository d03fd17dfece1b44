"""The command line of the benchmark and the order of its runs."""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from tests.bench import chart, scaling
from tests.bench.many_conversations import ManyConversations
from tests.bench.own_stack import run_with_own_stack
from tests.bench.programs import BenchError, Programs, compile_programs
from tests.bench.report import NAIVE, OURS, as_json, table
from tests.bench.servers import allow_many_files, embedded_stack, naive_server, stop_on_sigterm
from tests.bench.workloads import Bench, Result, Sizes
from tests.stack import StackFailed

# On both servers, in this order: the memory of an idle socket shows only while the servers are fresh.
SIDE_BY_SIDE = {
    "w3": "10,000 idle sockets: what connecting costs, and their memory",
    "w1": "fan-out: one conversation of 1,000, as fast as taken and at 20 a second",
    "w2": "durable sends: 100 pairs, each message committed, acknowledged and received",
    "w4": "5,000 clients come back to 20 missed messages each, from the database and from the gateway's ring",
    "w7": "a mixed day: 1,000 conversations of 2 to 1,000, of which 50 are lively; typing, reads, reconnects",
    "load": "w2 from 1 to 256 pairs: cost and latency against load, which make the chart",
}
# With stacks of their own.
OWN_STACK = {
    "w5": "history at many messages beside history at ten thousand (the whole: make bench-history)",
    "w6": "10,000 users come and go beside chat (the whole: make bench-presence)",
}
# Only by name: they don't fit in the ten minutes.
SCALING = {
    "grow": "w2 with 1, 2 and 4 gateways, chat-apis and Redis servers, each beside one",
    "apart": "w2 with 1, 2, 4 and 8 of both, each with a share of a core and users of its own",
    "shapes": "w2 in one and in 10,000 conversations, with messages of 100 bytes to 8 KB",
}
WORKLOADS = SIDE_BY_SIDE | OWN_STACK | SCALING


def main() -> None:
    """Runs the chosen workloads; exits with 0 also where there is no C compiler."""
    options = _parser().parse_args()
    unknown = set(options.workloads) - set(WORKLOADS)
    if unknown:
        sys.exit(f"no workload {', '.join(sorted(unknown))}; there are {', '.join(WORKLOADS)}")
    stop_on_sigterm()
    allow_many_files()
    with tempfile.TemporaryDirectory(prefix="messenger-bench-") as place:
        programs = compile_programs(Path(place))
        if programs is None:
            print(
                "bench: skipped: there is no C compiler (cc, gcc or clang) to build the load generator with"
            )
            return
        try:
            results, apart = asyncio.run(_run(options, programs, Path(place)))
        except (BenchError, StackFailed) as error:
            sys.exit(f"bench: {error}")
        except KeyboardInterrupt:
            sys.exit("bench: stopped")
    print(f"\n{table(results)}" if results else "")
    options.out.mkdir(parents=True, exist_ok=True)
    written = json.dumps(as_json(results) | apart, indent=1, ensure_ascii=False)
    (options.out / "results.json").write_text(written + "\n")
    if drawn := chart.draw(results, options.out):
        print(f"\nthe chart is {drawn}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="CPU and memory per unit of work, beside a naive server and a bare send().",
        epilog="\n".join(f"{name:10}{about}" for name, about in WORKLOADS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "workloads", nargs="*", default=[*SIDE_BY_SIDE, *OWN_STACK], metavar="WORKLOAD", help="see below"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("tests/artefacts/bench"),
        metavar="FOLDER",
        help="where results.json and the chart go (%(default)s)",
    )
    parser.add_argument("--gateways", type=int, default=1, metavar="N", help="gateway workers (1)")
    parser.add_argument("--chat-apis", type=int, default=1, metavar="N", help="chat-api workers (1)")
    # By default none: `python -m tests.bench.search` measures what the index costs beside W2.
    parser.add_argument("--feeds", type=int, default=0, metavar="N", help="feed workers (0)")
    parser.add_argument("--sockets", type=int, default=10_000, metavar="N", help="sockets of w3 (10,000)")
    return parser


async def _run(
    options: argparse.Namespace, programs: Programs, directory: Path
) -> tuple[list[Result], dict[str, Any]]:
    asked = options.workloads
    results = await _side_by_side(options, programs, directory) if set(asked) & set(SIDE_BY_SIDE) else []
    for name, run in (("grow", scaling.workers), ("apart", scaling.apart), ("shapes", scaling.shapes)):
        if name in asked:
            _print(name)
            results += await run(programs, directory)
    return results, {name: await run_with_own_stack(name) for name in OWN_STACK if name in asked}


async def _side_by_side(options: argparse.Namespace, programs: Programs, directory: Path) -> list[Result]:
    """Runs each workload on the naive server and then on our stack, over one PostgreSQL, within a minute."""
    sizes = Sizes(idle_sockets=options.sockets)
    workers = f"gateway={options.gateways},chat-api={options.chat_apis},presence=1,feed={options.feeds}"
    _print(f"starting both servers ({workers})")
    async with (
        embedded_stack(OURS, directory, workers) as ours,
        naive_server(NAIVE, directory, ours.database_url, ours.roots["postgres"]) as naive,
    ):
        benches = [Bench(server, programs, directory, sizes) for server in (naive, ours)]
        return await _in_turn([name for name in SIDE_BY_SIDE if name in options.workloads], benches)


async def _in_turn(names: Sequence[str], benches: Sequence[Bench]) -> list[Result]:
    results: list[Result] = []
    for name in names:
        for bench in benches:
            _print(f"{name}: {bench.server.name}")
            found = await _runs(bench)[name]()
            for result in found:
                _print(f"{result.workload}: {result.cost:.1f} {result.measure}/{result.unit}")
            results += found
    return results


def _runs(bench: Bench) -> dict[str, Callable[[], Awaitable[list[Result]]]]:
    crowds = ManyConversations(bench)
    return {
        "w3": bench.idle,
        "w1": bench.fan_out,
        "w2": bench.durable,
        "w4": crowds.returning,
        "w7": crowds.mixed_day,
        "load": bench.load,
    }


def _print(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
