"""Owns taking the weight off a process that stands for other machines: clients, attackers."""

from __future__ import annotations

import os


def yield_to_all() -> None:
    """From now on this process runs only where nobody else wants to; a nice one is still waited for."""
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
