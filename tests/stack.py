"""Runs a whole embedded stack for a test: starts it as its user would, waits for it, stops it with Ctrl-C."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from messenger_local.datadir import DataDir
from messenger_local.stack import ALL_RUN
from messenger_local.status import read_status

# Not the installed script: its first line can't hold every path.
MESSENGER = (sys.executable, "-P", "-m", "messenger_local")
_READY_LIMIT_S = 120.0
_COMMAND_LIMIT_S = 20.0
STOP_LIMIT_S = 20.0
_POLL_S = 0.1
_OUTPUT_SHOWN = 6_000
_WITHOUT_FEED = "feed=0"


class StackFailed(AssertionError):
    """The stack failed; the text holds what it printed."""


class RunningStack:
    """One `messenger up` as a subprocess."""

    def __init__(
        self, process: asyncio.subprocess.Process, data_dir: Path, output: Path, output_start: int
    ) -> None:
        self.process = process
        self.data_dir = data_dir
        self.url = ""
        self.database_url = ""
        self.redis_url = ""
        self._output = output
        self._output_start = output_start

    @property
    def output(self) -> str:
        """Returns all that the stack has printed so far."""
        return self._output.read_bytes()[self._output_start :].decode(errors="replace")

    @property
    def ws_url(self) -> str:
        """Returns the URL for WebSockets."""
        return self.url.replace("http://", "ws://")

    async def status(self) -> dict[str, Any]:
        """Returns the present output of `messenger status --json`."""
        text = await _run("status", "--json", "--data-dir", str(self.data_dir))
        found: dict[str, Any] = json.loads(text)
        return found

    async def command(self, name: str) -> str:
        """Runs one `messenger` command and returns its output; raises StackFailed if it fails."""
        return await _run(name, "--data-dir", str(self.data_dir))

    def pids(self, service: str, role: str) -> list[int]:
        """Returns the process ids of one role of a service."""
        rows = self._read_status()["processes"]
        return [row["pid"] for row in rows if (row["service"], row["role"]) == (service, role)]

    async def token(self, user_id: int, ttl: int = 3600) -> str:
        """Returns a token that `messenger token` prints."""
        text = await _run("token", str(user_id), "--ttl", str(ttl), "--data-dir", str(self.data_dir))
        return text.strip()

    async def wait_ready(self) -> None:
        """Returns once all of the stack runs; raises StackFailed with its output if it doesn't."""
        deadline = time.monotonic() + _READY_LIMIT_S
        while ALL_RUN not in self.output:
            if self.process.returncode is not None:
                raise StackFailed(f"exit code {self.process.returncode}:\n{self.output[-_OUTPUT_SHOWN:]}")
            if time.monotonic() > deadline:
                raise StackFailed(f"not ready in {_READY_LIMIT_S:.0f} s:\n{self.output[-_OUTPUT_SHOWN:]}")
            await asyncio.sleep(_POLL_S)
        status = self._read_status()
        self.url = status["url"]
        self.database_url = status["database_url"]
        self.redis_url = status["redis_url"]

    def _read_status(self) -> dict[str, Any]:
        """Returns what `messenger status` prints, without a process of its own."""
        return read_status(DataDir(self.data_dir))

    async def stop(self, number: signal.Signals = signal.SIGINT) -> float:
        """Stops the stack by a signal to its lead; returns the seconds it took, raises StackFailed after 20
        s.
        """
        begun = time.monotonic()
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)
        try:
            code = await asyncio.wait_for(self.process.wait(), STOP_LIMIT_S)
        except TimeoutError:
            await self.kill()
            raise StackFailed(
                f"did not stop in {STOP_LIMIT_S:.0f} s:\n{self.output[-_OUTPUT_SHOWN:]}"
            ) from None
        if code != 0:
            raise StackFailed(f"stopped with exit code {code}:\n{self.output[-_OUTPUT_SHOWN:]}")
        return time.monotonic() - begun

    async def kill(self) -> None:
        """Ends the lead with SIGKILL; the kernel ends its children."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()


@contextlib.asynccontextmanager
async def running_stack(
    data_dir: Path,
    port: int,
    workers: str | None = None,
    env: Mapping[str, str] | None = None,
    redis: str | None = None,
    within: Sequence[str] = (),
    *,
    apart: bool = True,
    demo: bool = False,
) -> AsyncIterator[RunningStack]:
    """Yields a stack that is ready. In the end it has to stop within 20 s, with exit code 0."""
    stack = await launch(data_dir, port, workers, env, redis, within, apart=apart, demo=demo)
    try:
        await stack.wait_ready()
    except BaseException:
        await stack.kill()
        raise
    try:
        yield stack
    finally:
        await stack.stop()


async def launch(
    data_dir: Path,
    port: int,
    workers: str | None = None,
    env: Mapping[str, str] | None = None,
    redis: str | None = None,
    within: Sequence[str] = (),
    *,
    apart: bool = True,
    demo: bool = False,
) -> RunningStack:
    """Starts `messenger up` without waiting for it; `within` is a command that runs the rest of its line.

    There is no feed unless `workers` names it: messages that aren't indexed are found too.
    Unless `apart`, the stack stays in the test's session and shares processor time with its other programs.
    """
    arguments = ["up", "--port", str(port), "--data-dir", str(data_dir)]
    arguments += [] if demo else ["--no-demo"]
    workers = workers or _WITHOUT_FEED
    arguments += ["--workers", workers if "feed=" in workers else f"{workers},{_WITHOUT_FEED}"]
    arguments += ["--redis", redis] if redis else []
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    # To a file, not a pipe: the stack goes on though nobody reads it, and failures can show it.
    output = data_dir.with_name(f"{data_dir.name}.log")
    start = output.stat().st_size if output.exists() else 0
    # So that Ctrl-C on a test run reaches the run alone, which then stops the stack. uvloop knows no groups.
    leads: dict[str, Any] = {"start_new_session": True} if apart else {"process_group": 0}
    with output.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *within,
            *MESSENGER,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **(env or {})},
            **leads,
        )
    return RunningStack(process, data_dir, output, start)


async def _run(*arguments: str) -> str:
    """Runs a `messenger` command to its end and returns its output."""
    process = await asyncio.create_subprocess_exec(
        *MESSENGER, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), _COMMAND_LIMIT_S)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        raise StackFailed(f"messenger {arguments[0]}: {err.decode(errors='replace').strip()}")
    return out.decode()
