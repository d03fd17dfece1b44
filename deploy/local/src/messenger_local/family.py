"""Owns every process that the stack starts: how it is started, awaited and, left behind, taken away."""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from messenger_local import procfs

_LAUNCH = Path(__file__).with_name("launch.py")
_PR_SET_CHILD_SUBREAPER = 36
_ORPHAN_PATIENCE_S = 1.0
_ORPHAN_LIMIT_S = 5.0
_POLL_S = 0.02
_OUTPUT_LIMIT_S = 1.0
_LINE_BYTES_MAX = 65_536


@dataclass(frozen=True, slots=True)
class User:
    """Whom a child runs as, when the supervisor itself is root and the child must not be."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Command:
    """A program and all that it needs to run."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str] = field(repr=False)
    death_signal: signal.Signals = signal.SIGKILL
    user: User | None = None
    # Whether it runs only while none of the others wants to.
    yields: bool = False


class Family:
    """The direct children of this process, and the orphans that the kernel hands to it."""

    def __init__(self) -> None:
        # What a killed master leaves behind comes to us, not to a PID 1 that may never reap it.
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._known: set[int] = set()

    def spawn(self, command: Command) -> subprocess.Popen[bytes]:
        """Starts `command` in a process group of its own, so that Ctrl-C reaches the lead alone.

        In our session, since Linux shares processors out by session first: one yields within his own alone.
        """
        shim = [sys.executable, "-I", "-S", str(_LAUNCH)]
        shim += [f"--parent={os.getpid()}", f"--death-signal={int(command.death_signal)}"]
        if command.user is not None:
            shim += [f"--uid={command.user.uid}", f"--gid={command.user.gid}"]
        if command.yields:
            shim.append("--yields")
        process = subprocess.Popen(
            [*shim, "--", *command.argv],
            cwd=command.cwd,
            env=dict(command.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        self._known.add(process.pid)
        return process

    async def attend(self, process: subprocess.Popen[bytes], on_line: Callable[[str], None]) -> int:
        """Hands on what `process` says until it has ended; its exit code, negative for a signal."""
        output = asyncio.create_task(_forward(process, on_line))
        try:
            await _end_of(process.pid)
            code = process.wait()
            self._known.discard(process.pid)
            if code not in (0, -signal.SIGTERM):
                await self.sweep()
            await asyncio.wait((output,), timeout=_OUTPUT_LIMIT_S)
            return code
        finally:
            output.cancel()
            await asyncio.gather(output, return_exceptions=True)

    async def run(self, command: Command, on_line: Callable[[str], None], limit_s: float) -> int:
        """Runs `command` to its end; killed, with TimeoutError, if that takes longer than `limit_s`."""
        process = self.spawn(command)
        try:
            async with asyncio.timeout(limit_s):
                return await self.attend(process, on_line)
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()
                self._known.discard(process.pid)

    async def sweep(self) -> None:
        """Ends and reaps what a dead child left behind: asked first, killed after a moment."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        while (orphans := self._orphans()) and loop.time() < start + _ORPHAN_LIMIT_S:
            patient = loop.time() < start + _ORPHAN_PATIENCE_S
            for pid in orphans:
                _end_orphan(pid, signal.SIGTERM if patient else signal.SIGKILL)
            await asyncio.sleep(_POLL_S)

    def _orphans(self) -> list[int]:
        return [child.pid for child in procfs.children(os.getpid()) if child.pid not in self._known]


def _end_orphan(pid: int, how: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, how)
        os.waitpid(pid, os.WNOHANG)


async def _end_of(pid: int) -> None:
    """Returns once the child `pid` has ended; it is not reaped yet."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    handle = os.pidfd_open(pid)
    try:
        loop.add_reader(handle, _mark, ended)
        await ended
    finally:
        loop.remove_reader(handle)
        os.close(handle)


def _mark(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)


async def _forward(process: subprocess.Popen[bytes], on_line: Callable[[str], None]) -> None:
    async for line in _lines(process):
        if line:
            on_line(line.decode(errors="replace"))


async def _lines(process: subprocess.Popen[bytes]) -> AsyncIterator[bytes]:
    """The lines of the process's output; one without an end is cut, so that memory stays bounded."""
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), process.stdout
    )
    try:
        rest = b""
        while chunk := await reader.read(_LINE_BYTES_MAX):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > _LINE_BYTES_MAX:
                lines, rest = [*lines, rest], b""
            for line in lines:
                yield line
        yield rest
    finally:
        transport.close()
