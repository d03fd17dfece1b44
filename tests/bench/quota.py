"""Gives processes a fixed share of a core each, as if each had a small machine of its own."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.bench.programs import BenchError

_CONTROLLER = Path("/sys/fs/cgroup/cpu")
_MEMBERS = "cgroup.procs"
# Short, as who has used up their share waits for the next; the kernel's least share is 1 ms of it.
_PERIOD_US = 25_000


@contextlib.contextmanager
def limited(shares: Mapping[int, float]) -> Iterator[None]:
    """Lets each process (by pid) run for at most its share of the time until the block ends.

    It needs root and cgroup v1. Raises BenchError without them.
    """
    groups = {pid: _CONTROLLER / f"messenger-share-{os.getpid()}-{pid}" for pid in shares}
    with contextlib.ExitStack() as made:
        try:
            for pid, group in groups.items():
                group.mkdir()
                made.callback(_remove, group)
                (group / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
                (group / "cpu.cfs_quota_us").write_text(str(round(shares[pid] * _PERIOD_US)))
                (group / _MEMBERS).write_text(str(pid))
        except OSError as error:
            raise BenchError(f"shares of a core need root and cgroup v1: {error}") from error
        yield


def _remove(group: Path) -> None:
    """Lets the members go, since only an empty group can be removed."""
    for pid in (group / _MEMBERS).read_text().split():
        with contextlib.suppress(ProcessLookupError):
            (_CONTROLLER / _MEMBERS).write_text(pid)
    group.rmdir()
