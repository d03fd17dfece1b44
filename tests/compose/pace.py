"""Measures how much slower the machine is now than at rest, since other programs may need its cores."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from tests.compose.engine import ROOT

# The main work of starting a service.
_WORK = "import gateway.app, chat_api.app"
# Even at rest, the wall time is a little longer than the CPU time.
_REST = 1.3


def slowness() -> float:
    """Returns the wall time of a piece of work divided by its CPU time; 1 on a machine at rest."""
    before, begun = os.times(), time.monotonic()
    subprocess.run([sys.executable, "-c", _WORK], cwd=ROOT, timeout=120, check=True)
    taken, after = time.monotonic() - begun, os.times()
    needed = after.children_user + after.children_system - before.children_user - before.children_system
    return max(1.0, taken / needed / _REST)
