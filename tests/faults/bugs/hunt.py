"""Hunts planted bugs: `python -m tests.faults.bugs.hunt [NAME]`; exits with 1 if no run finds one."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

import uvloop

from tests.faults.bugs.annotation_bugs import ANNOTATIONS
from tests.faults.bugs.delivery_bugs import DELIVERY
from tests.faults.bugs.file_bugs import FILES
from tests.faults.bugs.planting import Bug, Edit, planted
from tests.faults.bugs.search_bugs import SEARCHES
from tests.faults.bugs.storage_bugs import STORAGE
from tests.faults.judge.outcome import Outcome
from tests.faults.judge.table import table
from tests.faults.running import run

BUGS = {bug.name: bug for bug in (*STORAGE, *DELIVERY, *ANNOTATIONS, *FILES, *SEARCHES)}
# A planted race shows by chance: another seed may meet it.
_SEEDS = (1, 2, 3, 4)


def main() -> None:
    """Hunts one bug, or all of them; --sound runs the campaigns over the unchanged sources."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.bugs.hunt")
    parser.add_argument("bug", choices=BUGS, nargs="?", metavar="NAME")
    parser.add_argument("--sound", action="store_true", help="without the bug: nothing must be found")
    options = parser.parse_args()
    wanted = [BUGS[options.bug]] if options.bug else list(BUGS.values())
    failed = [bug.name for bug in wanted if not (_is_sound(bug) if options.sound else _is_found(bug))]
    if failed:
        sys.exit(f"not as it should be: {', '.join(failed)}")


def _is_sound(bug: Bug) -> bool:
    return not _run(bug, (), _SEEDS[0])


def _is_found(bug: Bug) -> bool:
    return any(bug.is_found_by(_run(bug, bug.edits, seed)) for seed in _SEEDS)


def _run(bug: Bug, edits: tuple[Edit, ...], seed: int) -> set[str]:
    """Runs one campaign over the sources with these edits, and returns the kinds of faults it finds."""
    root = Path(tempfile.mkdtemp(prefix="messenger-hunt-"))
    try:
        env = planted(edits, root / "sources")
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            outcome = runner.run(run(bug.campaign, seed, root / "run", env))
    finally:
        shutil.rmtree(root, ignore_errors=True)
    found = kinds(outcome)
    print(f"{bug.name}: found {', '.join(sorted(found)) or 'nothing'}\n{table(outcome)}", flush=True)
    return found


def kinds(outcome: Outcome) -> set[str]:
    """Returns the kinds of faults in an outcome."""
    found = {violation.kind for violation in outcome.violations}
    return found | {"budget"} if outcome.exceeded else found


if __name__ == "__main__":
    main()
