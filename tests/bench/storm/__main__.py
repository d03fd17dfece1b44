"""The command line of the storm benchmark and its runs."""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from aiohttp.test_utils import unused_port

from tests.bench import usage
from tests.bench.command import measured
from tests.bench.generator import Generator, generating
from tests.bench.presence.bench_stack import (
    BenchStack,
    create_conversation,
    pairs_file,
    running_bench_stack,
)
from tests.bench.programs import Programs
from tests.bench.storm.crowd import CHECK, QUIET, STORM, crowd
from tests.bench.storm.results import Run, conclude, table

CHATTERS: Final = 500
MESSAGES_PER_S: Final = 100
FIRST_USER: Final = 1_000_001
SECONDS: Final = 10
# Open files of a gateway or of the members that aren't their sockets.
_OTHER_FILES: Final = 1_000


def main() -> None:
    """Exits with 1 when counts differ from rows, or when sockets get frames too often."""
    options = _parser().parse_args()
    runs = measured("storm", lambda programs, place: _measure(options, programs, place))
    if runs is None:
        return
    found = conclude(runs)
    print(f"\n{table(runs, found)}")
    if options.json:
        options.json.write_text(json.dumps({**asdict(found), "runs": [asdict(run) for run in runs]}) + "\n")
    sys.exit(0 if found.is_within_limits else 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.storm", description="A storm of reactions, and chat beside it."
    )
    parser.add_argument("--users", type=int, default=10_000, metavar="N", help="who react (10,000)")
    parser.add_argument(
        "--sockets", type=int, default=8_000, metavar="N", help="of them with sockets (8,000)"
    )
    parser.add_argument("--rounds", type=int, default=2, metavar="N", help="quiet and storm in turn (2)")
    parser.add_argument("--workers", default="gateway=1,chat-api=1,presence=1", help="of the stack")
    parser.add_argument(
        "--fair", action="store_true", help="the members get as much CPU as others; for a busy machine"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    return parser


async def _measure(options: argparse.Namespace, programs: Programs, directory: Path) -> list[Run]:
    users = range(FIRST_USER, FIRST_USER + options.users)
    chatters = range(users.stop, users.stop + CHATTERS)
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    sockets = min(options.sockets, options.users, files - _OTHER_FILES)
    _print("starting the stack")
    async with running_bench_stack(directory, unused_port(), options.workers) as stack:
        room = await create_conversation(stack, users)
        chat = await pairs_file(stack, directory, chatters)
        _print(f"opening {sockets} sockets")
        steps = [QUIET, STORM, CHECK] * options.rounds
        runs = []
        async with crowd(stack, room, users, sockets, SECONDS, steps, is_fair=options.fair) as members:
            for step in steps:
                _print(step)
                if step == CHECK:
                    runs[-1].storm.update(_counts(await members.run()))
                else:
                    runs.append(await _run(stack, programs, chat, members))
            await members.close()
        return runs


async def _run(stack: BenchStack, programs: Programs, chat: Path, members: Generator) -> Run:
    """Runs the chat beside the next step of the members."""
    latencies = chat.with_name("latencies")
    pace = ("-d", str(SECONDS), "-r", str(MESSAGES_PER_S), "-o", str(latencies))
    async with generating(programs.load, "durable", stack.port, chat, options=pace) as chatters:
        await usage.quiet(stack.roots)
        before = usage.read(stack.roots)
        counts, storm = await asyncio.gather(chatters.run(), members.run())
        spent = usage.read(stack.roots).since(before)
        await chatters.close()
    return Run(
        [int(line) for line in latencies.read_text().split()],
        dict(spent.by_service),
        spent.others_cores(counts["cpu_s"]),
        _counts(storm),
    )


def _counts(done: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in done.items() if name != "event"}


def _print(text: str) -> None:
    print(f"storm: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
