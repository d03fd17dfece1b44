"""Owns the supervisor under test: started as a process, asked for its pids, ended without traces."""

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
from messenger_shared.tokens import Identity, Rules, Verifier, hs256
from tests.waiting import until

START_LIMIT_S = 30.0
STOP_LIMIT_S = 15.0
Lead = Callable[..., Awaitable["RunningLead"]]


def lives(pid: int) -> bool:
    """Whether the process runs; a zombie doesn't."""
    process = procfs.read(pid)
    return process is not None and process.alive


def verify(token: str, secret: bytes) -> Identity:
    """Whose token it is."""
    return Verifier(lambda: [hs256(secret)], Rules()).verify(token)


class RunningLead:
    """One `tests.local.lead` process."""

    def __init__(self, process: asyncio.subprocess.Process, root: Path, log: Path) -> None:
        self.process = process
        self.root = root
        self._log = log

    @property
    def output(self) -> str:
        """What it has printed."""
        return self._log.read_text()

    def pid(self, service: str) -> int | None:
        """The pid of a child that lives now."""
        with contextlib.suppress(FileNotFoundError):
            pid: int | None = json.loads((self.root / "pids.json").read_text()).get(service)
            return pid if pid and lives(pid) else None
        return None

    async def new_pid(self, service: str, old: int | None = None) -> int:
        """The pid of a child, once it is there and another than `old`."""
        await until(lambda: self.pid(service) not in (None, old), START_LIMIT_S)
        pid = self.pid(service)
        assert pid is not None
        return pid

    async def said(self, text: str) -> None:
        """Returns when it has printed `text`."""
        await until(lambda: text in self.output, START_LIMIT_S)

    async def stop(self) -> float:
        """Ends it by SIGTERM; how long that took."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(self.process.wait(), STOP_LIMIT_S) == 0
        return time.monotonic() - begun


@contextlib.asynccontextmanager
async def running_lead(root: Path, **programs: str) -> AsyncIterator[RunningLead]:
    """A lead with the given children; killed at the end if the test has not stopped it."""
    root.parent.mkdir(parents=True, exist_ok=True)
    log = root.with_name(f"{root.name}.log")
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.local.lead", str(root)),
            *(f"{service}={program}" for service, program in programs.items()),
            stdout=output,
            stderr=output,
            cwd=Path(__file__).parents[2],
        )
    try:
        yield RunningLead(process, root, log)
    finally:
        # Its end may be known to the system and not yet to the event loop.
        with contextlib.suppress(ProcessLookupError):
            if process.returncode is None:
                process.kill()
        await process.wait()


@pytest.fixture
async def lead(tmp_path: Path) -> AsyncIterator[Lead]:
    """Starts a lead with children."""
    async with AsyncExitStack() as exits:

        async def start(**programs: str) -> RunningLead:
            return await exits.enter_async_context(running_lead(tmp_path / "a place" / "data", **programs))

        yield start
