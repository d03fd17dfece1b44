"""A process that stands for other machines has no scheduling weight."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_YIELDS = """
import os
from tests.weight import yield_to_all
yield_to_all()
print(os.sched_getscheduler(0) == os.SCHED_IDLE, os.getpid())
print(open("/proc/self/cgroup").read())
"""


def _yielded() -> tuple[str, str, str]:
    """Returns whether a yielding process is idle, its pid, and its cgroups."""
    command = [sys.executable, "-c", _YIELDS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert done.stderr == ""
    first, _, groups = done.stdout.partition("\n")
    idle, pid = first.split()
    return idle, pid, groups


def test_who_yields_is_idle() -> None:
    idle, _, _ = _yielded()
    assert idle == "True"


def test_who_yields_as_root_is_in_a_group_without_weight_that_ends_with_him() -> None:
    controller = Path("/sys/fs/cgroup/cpu")
    if not os.access(controller / "cgroup.procs", os.W_OK) or not (controller / "cpu.idle").exists():
        pytest.skip("the groups of cgroup v1 can't be had here, or know no idle")
    _, pid, groups = _yielded()
    group = f"messenger-weightless-{pid}"
    assert group in groups
    assert not (controller / group).exists()
