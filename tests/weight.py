"""Gives a process no weight in scheduling. It stands for other machines: clients or attackers."""

from __future__ import annotations

import atexit
import contextlib
import os
from pathlib import Path
from typing import Final

# cgroup v1 and v2.
_CONTROLLERS: Final = (Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup"))
_IDLE: Final = "cpu.idle"
_MEMBERS: Final = "cgroup.procs"


def yield_to_all() -> None:
    """Makes this process run only when no other wants to; niceness alone isn't enough for that.

    The stack is a session of its own, and so is each process of PostgreSQL. Where the kernel groups by
    session (autogroup), the policy counts only within this session, which weighs as much as theirs. So root
    also joins a cgroup without weight until the process ends; other users have only the policy.
    """
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    controller = next((place for place in _CONTROLLERS if (place / _MEMBERS).exists()), None)
    if controller is not None:
        with contextlib.suppress(OSError):
            _join(controller)


def _join(controller: Path) -> None:
    group = controller / f"messenger-weightless-{os.getpid()}"
    group.mkdir()
    atexit.register(_leave, controller, group)
    # Fails where the system doesn't delegate this controller to cgroups.
    (group / _IDLE).write_text("1")
    (group / _MEMBERS).write_text(str(os.getpid()))


def _leave(controller: Path, group: Path) -> None:
    """Leaves the group and removes it: only an empty group can be removed."""
    (controller / _MEMBERS).write_text(str(os.getpid()))
    group.rmdir()
