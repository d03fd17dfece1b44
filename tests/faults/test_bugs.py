"""Tests the judge: it finds every planted bug, and names it correctly."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.faults.bugs.hunt import BUGS
from tests.faults.bugs.planting import ROOT

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
def test_it_is_found(hunts: Hunts, name: str) -> None:
    result = hunts[name].result()
    assert result.returncode == 0, result.stdout + result.stderr
