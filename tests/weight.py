"""Owns taking the weight off a process that stands for other machines: clients, attackers."""

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
    """From now on this process runs only where nobody else wants to; a nice one is still waited for.

    The stack is a session of its own, and so is each process of PostgreSQL. Where the kernel groups by
    session (autogroup), the policy counts within this one alone, which weighs as much as they do. So root
    joins a group without weight too, until he ends; anybody else has the policy alone.
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
    # Fails where the system keeps this controller from its groups.
    (group / _IDLE).write_text("1")
    (group / _MEMBERS).write_text(str(os.getpid()))


def _leave(controller: Path, group: Path) -> None:
    """A group can be removed once nobody is in it."""
    (controller / _MEMBERS).write_text(str(os.getpid()))
    group.rmdir()
