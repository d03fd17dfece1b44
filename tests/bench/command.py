"""Runs a benchmark that brings its own stack: in a folder of its own, with the compiled programs."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from tests.bench.programs import BenchError, Programs, compile_programs
from tests.bench.servers import stop_on_sigterm
from tests.stack import StackFailed

T = TypeVar("T")


def measured(name: str, measure: Callable[[Programs, Path], Coroutine[Any, Any, T]]) -> T | None:
    """Returns what `measure` does, None where there is no C compiler. Exits with the reason if it fails."""
    stop_on_sigterm()
    with tempfile.TemporaryDirectory(prefix=f"messenger-{name}-") as place:
        programs = compile_programs(Path(place))
        if programs is None:
            print(f"{name}: skipped: there is no C compiler to build the load generator with")
            return None
        try:
            return asyncio.run(measure(programs, Path(place)))
        except (BenchError, StackFailed) as error:
            sys.exit(f"{name}: {error}")
        except KeyboardInterrupt:
            sys.exit(f"{name}: stopped")
