"""Owns one run of the load generator: its process, and the lines that it and the harness exchange."""

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
        self.ready = await self._hear("ready", _CONNECT_DEADLINE_S)

    async def run(self) -> dict[str, Any]:
        """Runs the workload; returns at its last expected frame, with what the generator counted."""
        await self._say("go")
        return await self._hear("done", _RUN_DEADLINE_S)

    async def close(self) -> None:
        """Closes the sockets; fails if anything came twice meanwhile."""
        await self._say("close")
        await self._hear("closed", _CLOSE_DEADLINE_S)
        await asyncio.wait_for(self._process.wait(), _CLOSE_DEADLINE_S)

    async def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):  # the reason is on stderr, and _hear tells it
            self._process.stdin.write(f"{line}\n".encode())
            await self._process.stdin.drain()

    async def _hear(self, event: str, deadline_s: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), deadline_s)
        except TimeoutError as error:
            raise BenchError(f"the load generator was not {event} within {deadline_s:.0f} s") from error
        if not line:
            reason = await asyncio.wait_for(self._process.stderr.read(), _CLOSE_DEADLINE_S)
            raise BenchError(reason.decode(errors="replace").strip() or "the load generator ended")
        heard: dict[str, Any] = json.loads(line)
        if heard["event"] != event:
            raise BenchError(f"the load generator was {heard['event']}, not {event}")
        return heard


@contextlib.asynccontextmanager
async def generating(
    program: Path, mode: str, port: int, *files: Path, options: Sequence[str] = ()
) -> AsyncIterator[Generator]:
    """A generator with its sockets open, ended on the way out."""
    async with started(program, *options, mode, port, *files) as generator:
        yield generator


@contextlib.asynccontextmanager
async def started(*command: object) -> AsyncIterator[Generator]:
    """Any program that speaks as the load generator does."""
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
