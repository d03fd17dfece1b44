"""Starts and awaits every process of the stack, and ends the processes that a dead child left behind."""

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
_ORPHAN_TERM_S = 1.0
_ORPHAN_LIMIT_S = 5.0
_POLL_S = 0.02
_OUTPUT_LIMIT_S = 1.0
_LINE_BYTES_MAX = 65_536


@dataclass(frozen=True, slots=True)
class User:
    """The user that a child runs as when the supervisor is root and the child must not be."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Command:
    """A program with its arguments, directory, environment and user."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str] = field(repr=False)
    death_signal: signal.Signals = signal.SIGKILL
    user: User | None = None
    # The directory that `user` must be able to read.
    required_dir: Path = Path("/")
    # Added to our own niceness. A higher value gives the program a smaller share of a busy processor.
    nice: int = 0


class ProcessManager:
    """The direct children of this process, and the orphans that the kernel reparents to it."""

    def __init__(self) -> None:
        # The workers of a killed master become our children. A PID 1 may never reap them.
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._known: set[int] = set()

    def spawn(self, command: Command) -> subprocess.Popen[bytes]:
        """Starts `command` in its own process group, so that Ctrl-C reaches the supervisor alone.

        It stays in our session: Linux shares processors between sessions first, and niceness counts only
        inside one.
        """
        launcher = [sys.executable, "-I", "-S", str(_LAUNCH)]
        launcher += [f"--parent={os.getpid()}", f"--death-signal={int(command.death_signal)}"]
        if command.user is not None:
            launcher += [
                f"--uid={command.user.uid}",
                f"--gid={command.user.gid}",
                f"--required-dir={command.required_dir}",
            ]
        if command.nice:
            launcher.append(f"--nice={command.nice}")
        process = subprocess.Popen(
            [*launcher, "--", *command.argv],
            cwd=command.cwd,
            env=dict(command.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        self._known.add(process.pid)
        return process

    async def wait(self, process: subprocess.Popen[bytes], on_line: Callable[[str], None]) -> int:
        """Passes output lines to `on_line` until `process` ends. Returns the exit code, -N for signal N."""
        output = asyncio.create_task(_forward(process, on_line))
        try:
            await _wait_for_exit(process.pid)
            code = process.wait()
            self._known.discard(process.pid)
            if code not in (0, -signal.SIGTERM):
                await self.end_orphans()
            await asyncio.wait((output,), timeout=_OUTPUT_LIMIT_S)
            return code
        finally:
            output.cancel()
            await asyncio.gather(output, return_exceptions=True)

    async def run(self, command: Command, on_line: Callable[[str], None], limit_s: float) -> int:
        """Runs `command` and returns its exit code. Kills it with TimeoutError after `limit_s` seconds."""
        process = self.spawn(command)
        try:
            async with asyncio.timeout(limit_s):
                return await self.wait(process, on_line)
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()
                self._known.discard(process.pid)

    async def end_orphans(self) -> None:
        """Ends and reaps the orphans of dead children: SIGTERM first, SIGKILL after a second."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        while (orphans := self._orphans()) and loop.time() < start + _ORPHAN_LIMIT_S:
            may_finish = loop.time() < start + _ORPHAN_TERM_S
            for pid in orphans:
                _end_orphan(pid, signal.SIGTERM if may_finish else signal.SIGKILL)
            await asyncio.sleep(_POLL_S)

    def _orphans(self) -> list[int]:
        return [child.pid for child in procfs.children(os.getpid()) if child.pid not in self._known]


def _end_orphan(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, number)
        os.waitpid(pid, os.WNOHANG)


async def _wait_for_exit(pid: int) -> None:
    """Waits until the child `pid` has ended, without reaping it."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    handle = os.pidfd_open(pid)
    try:
        loop.add_reader(handle, _set_done, ended)
        await ended
    finally:
        loop.remove_reader(handle)
        os.close(handle)


def _set_done(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)


async def _forward(process: subprocess.Popen[bytes], on_line: Callable[[str], None]) -> None:
    async for line in _lines(process):
        if line:
            on_line(line.decode(errors="replace"))


async def _lines(process: subprocess.Popen[bytes]) -> AsyncIterator[bytes]:
    """Yields the lines of the process's output. Cuts overlong lines, so that memory stays bounded."""
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
