"""A limited process has its share of a core until the block ends."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.bench.programs import BenchError
from tests.bench.quota import limited

_CONTROLLER = Path("/sys/fs/cgroup/cpu")
pytestmark = pytest.mark.skipif(
    not os.access(_CONTROLLER / "cgroup.procs", os.W_OK), reason="needs root and cgroup v1"
)


@contextmanager
def _sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        try:
            yield process
        finally:
            process.kill()


def _groups(pid: int) -> str:
    return Path(f"/proc/{pid}/cgroup").read_text()


def test_a_process_is_limited_until_the_block_ends() -> None:
    with _sleeper() as process:
        with limited({process.pid: 0.06}):
            name = f"messenger-share-{os.getpid()}-{process.pid}"
            assert name in _groups(process.pid)
            assert (_CONTROLLER / name / "cpu.cfs_quota_us").read_text().strip() == "1500"
            assert (_CONTROLLER / name / "cpu.cfs_period_us").read_text().strip() == "25000"
        assert name not in _groups(process.pid)
        assert not (_CONTROLLER / name).exists()


def test_a_share_that_the_kernel_refuses_leaves_no_group() -> None:
    with _sleeper() as process:
        with pytest.raises(BenchError, match="shares of a core"), limited({process.pid: 0.001}):
            pass
        assert not list(_CONTROLLER.glob(f"messenger-share-*-{process.pid}"))


def test_groups_go_though_their_process_has_ended() -> None:
    with _sleeper() as process, limited({process.pid: 0.06}):
        process.kill()
        process.wait()
    assert not list(_CONTROLLER.glob(f"messenger-share-*-{process.pid}"))
