"""The command line of the comparison, and the order of its runs."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from tests.bench import chart
from tests.bench.command import measured
from tests.bench.peers import tables
from tests.bench.peers.centrifugo import Centrifugo
from tests.bench.peers.nats import Nats
from tests.bench.peers.peer import Peer, Unavailable
from tests.bench.peers.rooms import PeerBench
from tests.bench.peers.socketio import SocketIo
from tests.bench.programs import Programs
from tests.bench.report import NAIVE, OURS, as_json, table
from tests.bench.servers import allow_many_files, embedded_stack, naive_server
from tests.bench.workloads import Bench, Result, Sizes

PEERS: dict[str, Peer] = {"centrifugo": Centrifugo(), "nats": Nats(), "socketio": SocketIo()}
# One process of each service, as one process of each peer.
_WORKERS = "gateway=1,chat-api=1,presence=1,feed=0"
_SIZES = {
    "full": Sizes(),
    # To see that all of it works; the figures say little.
    "small": Sizes(
        fanout_sockets=100,
        fanout_messages=100,
        paced_s=2,
        durable_users=20,
        durable_s=2,
        idle_sockets=500,
        load_pairs=(1, 8),
        load_s=1,
    ),
}
# The memory of an idle socket shows only while the servers are fresh.
_RUNS = (Bench.idle, Bench.fan_out, Bench.durable, Bench.load)
_CHART_TITLE = "A message to one other user. What its acknowledgement promises differs: see the table"
_CHART_LATENCY = "ms from send to acknowledgement and receipt, the later"


def main() -> None:
    """Runs all workloads on all servers that can be had, and writes tables, JSON and chart."""
    options = _parser().parse_args()
    allow_many_files()
    asked = [PEERS[name] for name in options.peers or PEERS]
    left_out = _install(asked)
    peers = [peer for peer in asked if peer.name not in left_out]
    results = measured("bench-peers", lambda programs, place: _run(programs, place, peers, options.sizes))
    if results is None:
        return
    print(f"\n{table(results)}")
    options.out.mkdir(parents=True, exist_ok=True)
    versions = {peer.name: peer.version for peer in peers}
    promises = {name: promised._asdict() for name, promised in tables.promises(peers).items()}
    written = as_json(results) | {
        "sizes": options.sizes,
        "versions": versions,
        "promises": promises,
        "left_out": left_out,
    }
    (options.out / "results.json").write_text(json.dumps(written, indent=1, ensure_ascii=False) + "\n")
    text = tables.markdown(results, peers, left_out)
    (options.out / "tables.md").write_text(text)
    drawn = chart.draw(
        [tables.complete(result) for result in results], options.out, _CHART_TITLE, _CHART_LATENCY
    )
    print(f"\nthe tables are {options.out / 'tables.md'}, the chart is {drawn}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.peers",
        description="The workloads W1 to W3 on Centrifugo, NATS, Socket.IO, the naive server and ours.",
    )
    parser.add_argument(
        "peers", nargs="*", choices=[[], *PEERS], metavar="PEER", help=f"{', '.join(PEERS)} (all)"
    )
    parser.add_argument("--sizes", choices=list(_SIZES), default="full", help="full takes ten minutes (full)")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("tests/artefacts/bench-peers"),
        metavar="FOLDER",
        help="where tables.md, results.json and the chart go (%(default)s)",
    )
    return parser


def _install(peers: Sequence[Peer]) -> dict[str, str]:
    """Installs the peers; returns why some can't be had."""
    left_out = {}
    for peer in peers:
        try:
            peer.install()
        except Unavailable as error:
            _print(f"without {peer.name}: {error}")
            left_out[peer.name] = str(error)
    return left_out


async def _run(programs: Programs, directory: Path, peers: Sequence[Peer], sizes: str) -> list[Result]:
    """Runs each workload on one server after the other, so that all meet the same minute of the machine."""
    results: list[Result] = []
    async with _all_servers(programs, directory, peers, _SIZES[sizes]) as benches:
        for run in _RUNS:
            for bench in benches:
                found = await run(bench)
                for result in found:
                    at = "" if result.load is None else f" {result.load}"
                    cost = f"{result.cost:.1f} {result.measure}/{result.unit}"
                    _print(f"{result.workload}{at}: {bench.server.name}: {cost}")
                results += found
    return results


@contextlib.asynccontextmanager
async def _all_servers(
    programs: Programs, directory: Path, peers: Sequence[Peer], sizes: Sizes
) -> AsyncIterator[list[Bench]]:
    async with contextlib.AsyncExitStack() as stack:
        ours = await stack.enter_async_context(embedded_stack(OURS, directory, _WORKERS))
        naive = await stack.enter_async_context(
            naive_server(NAIVE, directory, ours.database_url, ours.roots["postgres"])
        )
        benches = [Bench(server, programs, directory, sizes) for server in (naive, ours)]
        for peer in peers:
            place = directory / peer.name
            place.mkdir()
            server = await stack.enter_async_context(peer.running(place))
            benches.append(PeerBench(server, programs, directory, sizes, peer=peer))
        yield benches


def _print(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
