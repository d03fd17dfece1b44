"""Runs the workloads that bring their own stacks: the history and presence benchmarks, made short."""

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.programs import BenchError

_DEADLINE_S = 240.0
_SHORT = {
    "w5": ("tests.bench.history", "--messages", "300000", "--rounds", "100"),
    "w6": ("tests.bench.presence", "--rounds", "1"),
}


async def run_with_own_stack(name: str) -> Any:
    """Runs the benchmark to its end, with its table; returns its results."""
    module, *options = _SHORT[name]
    with tempfile.TemporaryDirectory(prefix="messenger-bench-") as place:
        found = Path(place) / "results.json"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *options, "--json", str(found)
        )
        try:
            await asyncio.wait_for(process.wait(), _DEADLINE_S)
        except TimeoutError as error:
            raise BenchError(f"{name} took more than {_DEADLINE_S:.0f} s") from error
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()
        # Exit code 1 with results: something was too slow, and the table says what.
        if not found.exists():
            raise BenchError(f"{name} ended with exit code {process.returncode}")
        return json.loads(found.read_text())
