"""Owns taking the weight off a process that stands for other machines: clients, attackers."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

# cgroup v1 and v2.
_CONTROLLERS: Final = (Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup"))
_GROUP: Final = "messenger-weightless"


def yield_to_all() -> None:
    """From now on this process runs only where nobody else wants to; a nice one is still waited for.

    Each of the stack's services is a session of its own. Where the kernel groups by session (autogroup), the
    policy counts within this one alone, and the session weighs as much as a service. So the process joins a
    group without weight too, where it may, which is as root; the empty group stays behind.
    """
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    controller = next((place for place in _CONTROLLERS if (place / "cgroup.procs").exists()), None)
    if controller is not None:
        with contextlib.suppress(OSError):
            _join(controller / _GROUP)


def _join(group: Path) -> None:
    group.mkdir(exist_ok=True)
    # Without the controller the file isn't there, and the group does nothing.
    (group / "cpu.idle").write_text("1")
    (group / "cgroup.procs").write_text(str(os.getpid()))
