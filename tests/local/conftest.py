"""Runs the supervisor under test: starts it as a process, reads its pids, ends it without traces."""

import asyncio
import contextlib
import json
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from messenger_local import procfs
from messenger_shared.contract.tokens import Identity, Rules, Verifier, hs256
from tests.waiting import until

START_LIMIT_S = 30.0
STOP_LIMIT_S = 15.0
StartSupervisor = Callable[..., Awaitable["RunningSupervisor"]]


def is_running(pid: int) -> bool:
    """Whether the process runs; a zombie doesn't."""
    process = procfs.read(pid)
    return process is not None and process.is_alive


def verify(token: str, secret: bytes) -> Identity:
    """Returns the identity in a valid token."""
    return Verifier(lambda: [hs256(secret)], Rules()).verify(token)


class RunningSupervisor:
    """One `tests.local.supervisor` process."""

    def __init__(self, process: asyncio.subprocess.Process, root: Path, log: Path) -> None:
        self.process = process
        self.root = root
        self._log = log

    @property
    def output(self) -> str:
        """Returns what it has printed."""
        return self._log.read_text()

    def pid(self, service: str) -> int | None:
        """Returns the pid of a child that lives now, or None."""
        with contextlib.suppress(FileNotFoundError):
            pid: int | None = json.loads((self.root / "pids.json").read_text()).get(service)
            return pid if pid and is_running(pid) else None
        return None

    async def new_pid(self, service: str, old: int | None = None) -> int:
        """Waits for a child with another pid than `old`, and returns its pid."""
        await until(lambda: self.pid(service) not in (None, old), START_LIMIT_S)
        pid = self.pid(service)
        assert pid is not None
        return pid

    async def wait_for_output(self, text: str) -> None:
        """Returns when it has printed `text`."""
        await until(lambda: text in self.output, START_LIMIT_S)

    async def stop(self) -> float:
        """Ends it by SIGTERM; returns how long that took, in seconds."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(self.process.wait(), STOP_LIMIT_S) == 0
        return time.monotonic() - begun


@contextlib.asynccontextmanager
async def running_supervisor(root: Path, **programs: str) -> AsyncIterator[RunningSupervisor]:
    """Yields a supervisor with the given children; kills it at the end if the test has not stopped it."""
    root.parent.mkdir(parents=True, exist_ok=True)
    log = root.with_name(f"{root.name}.log")
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.local.supervisor", str(root)),
            *(f"{service}={program}" for service, program in programs.items()),
            stdout=output,
            stderr=output,
            cwd=Path(__file__).parents[2],
        )
    try:
        yield RunningSupervisor(process, root, log)
    finally:
        # The process may have ended without the event loop knowing yet.
        with contextlib.suppress(ProcessLookupError):
            if process.returncode is None:
                process.kill()
        await process.wait()


@pytest.fixture
async def start_supervisor(tmp_path: Path) -> AsyncIterator[StartSupervisor]:
    """Yields a function that starts a supervisor with children."""
    async with AsyncExitStack() as exits:

        async def start(**programs: str) -> RunningSupervisor:
            return await exits.enter_async_context(
                running_supervisor(tmp_path / "a place" / "data", **programs)
            )

        yield start
