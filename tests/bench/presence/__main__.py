"""Owns the command line of the presence benchmark and its runs."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from aiohttp.test_utils import unused_port

from tests.bench import usage
from tests.bench.generator import generating
from tests.bench.presence.crowd import SECONDS, crowd
from tests.bench.presence.findings import Run, conclude, table
from tests.bench.presence.ground import Ground, gather_all, laid
from tests.bench.programs import BenchError, Programs, compile_programs
from tests.bench.servers import stop_on_sigterm
from tests.stack import StackFailed

CHATTERS: Final = 500
# Of all of them: each writes every five seconds, which is a lively talk.
MESSAGES_PER_S: Final = 100
FIRST_USER: Final = 1_000_001


@dataclass(frozen=True, slots=True)
class Scene:
    """All that the runs share."""

    ground: Ground
    programs: Programs
    room: str
    viewers: range
    users: range
    real: int
    chat: Path
    messages_per_s: int


def main() -> None:
    """Exit code 1 when presence is heard too often, or chat is slower by it than it may be."""
    options = _parser().parse_args()
    stop_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="messenger-presence-") as place:
        programs = compile_programs(Path(place))
        if programs is None:
            print("presence: skipped: there is no C compiler to build the load generator with")
            return
        try:
            runs = asyncio.run(_measure(options, programs, Path(place)))
        except (BenchError, StackFailed) as error:
            sys.exit(f"presence: {error}")
        except KeyboardInterrupt:
            sys.exit("presence: stopped")
    found = conclude(runs)
    print(f"\n{table(runs, found)}")
    if options.json:
        whole = {**asdict(found), "runs": [asdict(run) for run in runs]}
        options.json.write_text(json.dumps(whole) + "\n")
    sys.exit(0 if found.holds else 1)


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
    _say("starting the stack")
    async with laid(directory, unused_port(), options.workers) as ground:
        # Who looks at it sees the first thousand by id, who are among the flapping.
        room = await gather_all(ground, [*users, *viewers])
        chat = await _chat_file(ground, directory, chatters)
        scene = Scene(ground, programs, room, viewers, users, options.real, chat, options.rate)
        runs = []
        for number in range(options.rounds):
            for flapping in (False, True):
                _say(f"round {number + 1}: {'flapping' if flapping else 'quiet'}")
                runs.append(await _run(scene, flapping))
        return runs


async def _chat_file(ground: Ground, directory: Path, chatters: range) -> Path:
    """Pairs."""
    lines = []
    for first, second in zip(chatters[::2], chatters[1::2], strict=True):
        room = await gather_all(ground, (first, second))
        lines += [f"{user} {ground.token(user)} {room}\n" for user in (first, second)]
    path = directory / "chatters"
    path.write_text("".join(lines))
    return path


async def _run(scene: Scene, flapping: bool) -> Run:
    ground, latencies = scene.ground, scene.chat.with_name("latencies")
    pace = ("-d", str(SECONDS), "-r", str(scene.messages_per_s), "-o", str(latencies))
    async with (
        crowd(ground, scene.room, scene.viewers, scene.users, scene.real, flapping=flapping) as others,
        generating(scene.programs.load, "durable", ground.port, scene.chat, options=pace) as chatters,
    ):
        await usage.quiet(ground.roots)
        before = usage.read(ground.roots)
        chat, told = await asyncio.gather(chatters.run(), others.run())
        spent = usage.read(ground.roots).since(before)
        await chatters.close()
        await others.close()
    return Run(
        flapping,
        [int(line) for line in latencies.read_text().split()],
        told["transitions"],
        told["frames"],
        told["rows"],
        told["most_in_a_second"],
        dict(spent.by_service),
        spent.others_cores(chat["cpu_s"]),
    )


def _say(text: str) -> None:
    print(f"presence: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
