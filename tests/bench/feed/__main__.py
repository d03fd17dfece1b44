"""The command line of the feed's benchmark and the order of its runs."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.bench.command import measured
from tests.bench.feed import beside_chat, pushing
from tests.bench.programs import Programs


@dataclass(frozen=True, slots=True)
class _Found:
    chat: beside_chat.BesideChat
    pushed: pushing.Pushed


def main() -> None:
    """Exits with 1 when the feed costs those who chat too much, or when pushes come too late."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.feed", description="The feed beside chat, webhooks, and pushes."
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    options = parser.parse_args()
    found = measured("feed", _measure)
    if found is None:
        return
    print(*found.chat.lines, found.pushed.line, sep="\n")
    if options.json:
        options.json.write_text(json.dumps(asdict(found) | {"ratios": found.chat.ratios}, indent=1) + "\n")
    sys.exit(0 if found.chat.is_within_budget and found.pushed.is_within_budget else 1)


async def _measure(programs: Programs, directory: Path) -> _Found:
    chat = await beside_chat.measure(programs, directory, _say)
    return _Found(chat, await pushing.measure(directory))


def _say(text: str) -> None:
    print(f"feed: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
