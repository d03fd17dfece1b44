"""One run of the load generator: its process, and the lines that it and the harness exchange."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from tests.bench.programs import BenchError

_CONNECT_DEADLINE_S = 90.0
_RUN_DEADLINE_S = 90.0
_CLOSE_DEADLINE_S = 10.0


class Generator:
    """A load generator whose sockets are all open."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.ready: dict[str, Any] = {}

    async def start(self) -> None:
        """Waits until every socket has its welcome."""
        self.ready = await self._read_event("ready", _CONNECT_DEADLINE_S)

    async def run(self) -> dict[str, Any]:
        """Runs the workload; returns the generator's counts after its last expected frame."""
        await self._write_line("go")
        return await self._read_event("done", _RUN_DEADLINE_S)

    async def close(self) -> None:
        """Closes the sockets; fails if any frame came twice."""
        await self._write_line("close")
        await self._read_event("closed", _CLOSE_DEADLINE_S)
        await asyncio.wait_for(self._process.wait(), _CLOSE_DEADLINE_S)

    async def _write_line(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):  # the reason is on stderr, and _hear raises it
            self._process.stdin.write(f"{line}\n".encode())
            await self._process.stdin.drain()

    async def _read_event(self, event: str, deadline_s: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), deadline_s)
        except TimeoutError as error:
            raise BenchError(f"the load generator was not {event} within {deadline_s:.0f} s") from error
        if not line:
            reason = await asyncio.wait_for(self._process.stderr.read(), _CLOSE_DEADLINE_S)
            raise BenchError(reason.decode(errors="replace").strip() or "the load generator ended")
        received: dict[str, Any] = json.loads(line)
        if received["event"] != event:
            raise BenchError(f"the load generator was {received['event']}, not {event}")
        return received


@contextlib.asynccontextmanager
async def generating(
    program: Path, mode: str, port: int, *files: Path, options: Sequence[str] = ()
) -> AsyncIterator[Generator]:
    """Yields a generator with its sockets open, and ends it afterwards."""
    async with start_generator(program, *options, mode, port, *files) as generator:
        yield generator


@contextlib.asynccontextmanager
async def start_generator(*command: object) -> AsyncIterator[Generator]:
    """Runs any program that speaks as the load generator does."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        generator = Generator(process)
        await generator.start()
        yield generator
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()
