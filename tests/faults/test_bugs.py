"""Tests the judge: it finds planted bugs, and names them correctly. `make hunts` hunts all of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.bugs.hunt import BUGS
from tests.faults.bugs.planting import ROOT, planted

# One of each kind: lost, doubled, out of order, leaked, stale. All together take a quarter of an hour.
HUNTED = (
    "two requests with one key don't wait for each other",
    "acked before it is committed",
    "a client's id is not unique",
    "holes are not repaired",
    "what comes after a hole doesn't wait",
    "who was removed goes on hearing",
    "coming back leaves deletions out",
    "presence is not told who came",
    "reactions that failed count as stored",
    "files take a pos too many, are old in messages, and are read by strangers",
    "what isn't in the index yet is not looked at",
)
AT_ONCE = 2
LIMIT_S = 180

Hunts = dict[str, "Future[subprocess.CompletedProcess[str]]"]


def hunt(name: str) -> subprocess.CompletedProcess[str]:
    """Hunts one bug in a separate process."""
    command = [sys.executable, "-m", "tests.faults.bugs.hunt", name]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False)


@pytest.fixture(scope="module")
def hunts(request: pytest.FixtureRequest) -> Iterator[Hunts]:
    """Starts all the hunts together, since each one mostly waits."""
    names = [
        item.callspec.params["name"] for item in request.session.items if item.function is test_it_is_found
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {name: pool.submit(hunt, name) for name in names}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", BUGS)
def test_it_can_be_planted(tmp_path: Path, name: str) -> None:
    planted(BUGS[name].edits, tmp_path / "sources")


@pytest.mark.parametrize("name", HUNTED)
def test_it_is_found(hunts: Hunts, name: str) -> None:
    result = hunts[name].result()
    assert result.returncode == 0, result.stdout + result.stderr
