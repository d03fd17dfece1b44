"""The command line of the presence benchmark and its runs."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from aiohttp.test_utils import unused_port

from tests.bench import usage
from tests.bench.command import measured
from tests.bench.generator import generating
from tests.bench.presence.bench_stack import (
    BenchStack,
    create_conversation,
    pairs_file,
    running_bench_stack,
)
from tests.bench.presence.crowd import SECONDS, crowd
from tests.bench.presence.results import Run, conclude, table
from tests.bench.programs import Programs

CHATTERS: Final = 500
# Of all chatters together: each one writes every five seconds, which is a lively talk.
MESSAGES_PER_S: Final = 100
FIRST_USER: Final = 1_000_001


@dataclass(frozen=True, slots=True)
class Setup:
    """What all the runs share."""

    bench_stack: BenchStack
    programs: Programs
    room: str
    viewers: range
    users: range
    real: int
    chat: Path
    messages_per_s: int


def main() -> None:
    """Exits with 1 when sockets get presence too often, or when presence slows chat too much."""
    options = _parser().parse_args()
    runs = measured("presence", lambda programs, place: _measure(options, programs, place))
    if runs is None:
        return
    found = conclude(runs)
    print(f"\n{table(runs, found)}")
    if options.json:
        whole = {**asdict(found), "runs": [asdict(run) for run in runs]}
        options.json.write_text(json.dumps(whole) + "\n")
    sys.exit(0 if found.is_within_limits else 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.presence", description="Presence under flapping, and chat meanwhile."
    )
    parser.add_argument("--users", type=int, default=10_000, metavar="N", help="who flap (10,000)")
    parser.add_argument("--real", type=int, default=300, metavar="N", help="with sockets of their own (300)")
    parser.add_argument("--viewers", type=int, default=200, metavar="N", help="who are told (200)")
    parser.add_argument("--rate", type=int, default=MESSAGES_PER_S, metavar="N", help="of the chat (100/s)")
    parser.add_argument("--rounds", type=int, default=20, metavar="N", help="quiet and flapping in turn (20)")
    parser.add_argument("--workers", default="gateway=1,chat-api=1,presence=1", help="of the stack")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    return parser


async def _measure(options: argparse.Namespace, programs: Programs, directory: Path) -> list[Run]:
    users = range(FIRST_USER, FIRST_USER + options.users)
    viewers = range(users.stop, users.stop + options.viewers)
    chatters = range(viewers.stop, viewers.stop + CHATTERS)
    _print("starting the stack")
    async with running_bench_stack(directory, unused_port(), options.workers) as bench_stack:
        # A viewer of it sees the first thousand members by id, all of whom flap.
        room = await create_conversation(bench_stack, [*users, *viewers])
        chat = await pairs_file(bench_stack, directory, chatters)
        setup = Setup(bench_stack, programs, room, viewers, users, options.real, chat, options.rate)
        runs = []
        for number in range(options.rounds):
            for flapping in (False, True):
                _print(f"round {number + 1}: {'flapping' if flapping else 'quiet'}")
                runs.append(await _run(setup, flapping))
        return runs


async def _run(setup: Setup, flapping: bool) -> Run:
    bench_stack, latencies = setup.bench_stack, setup.chat.with_name("latencies")
    pace = ("-d", str(SECONDS), "-r", str(setup.messages_per_s), "-o", str(latencies))
    async with (
        crowd(bench_stack, setup.room, setup.viewers, setup.users, setup.real, flapping=flapping) as others,
        generating(setup.programs.load, "durable", bench_stack.port, setup.chat, options=pace) as chatters,
    ):
        await usage.quiet(bench_stack.roots)
        before = usage.read(bench_stack.roots)
        chat, counts = await asyncio.gather(chatters.run(), others.run())
        spent = usage.read(bench_stack.roots).since(before)
        await chatters.close()
        await others.close()
    return Run(
        flapping,
        [int(line) for line in latencies.read_text().split()],
        counts["transitions"],
        counts["frames"],
        counts["rows"],
        counts["most_in_a_second"],
        dict(spent.by_service),
        spent.others_cores(chat["cpu_s"]),
    )


def _print(text: str) -> None:
    print(f"presence: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
