"""Programs that keep every processor busy, at normal priority and for a bounded time."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

_BURN = "import sys, time\nends = time.monotonic() + float(sys.argv[1])\nwhile time.monotonic() < ends: pass"


@contextlib.contextmanager
def busy_processors(limit_s: float) -> Iterator[None]:
    """Runs one program per processor, in our session, so that its group gives the test no advantage."""
    command = [sys.executable, "-I", "-S", "-c", _BURN, str(limit_s)]
    programs = [subprocess.Popen(command) for _ in range(os.cpu_count() or 1)]
    try:
        yield
        # Without this, a test could pass on a machine that wasn't busy.
        assert all(program.poll() is None for program in programs), "the burners ended too early"
    finally:
        for program in programs:
            program.kill()
            program.wait()
