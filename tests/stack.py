"""Owns a whole embedded stack for a test: started as its user would, awaited, asked, stopped with Ctrl-C."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

_MESSENGER = str(Path(sys.executable).with_name("messenger"))
_READY_LIMIT_S = 120.0
_COMMAND_LIMIT_S = 20.0
STOP_LIMIT_S = 20.0
_POLL_S = 0.1
_OUTPUT_SHOWN = 6_000


class StackFailed(AssertionError):
    """The stack did not do what it has to; the text holds what it printed."""


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
        """All that the stack has printed so far."""
        return self._output.read_bytes()[self._output_start :].decode(errors="replace")

    @property
    def ws_url(self) -> str:
        """The URL for WebSockets."""
        return self.url.replace("http://", "ws://")

    async def status(self) -> dict[str, Any]:
        """What `messenger status --json` says at this moment."""
        text = await _run("status", "--json", "--data-dir", str(self.data_dir))
        found: dict[str, Any] = json.loads(text)
        return found

    async def command(self, name: str) -> str:
        """What one `messenger` command prints; StackFailed if it fails."""
        return await _run(name, "--data-dir", str(self.data_dir))

    async def pids(self, service: str, role: str) -> list[int]:
        """The pids of one service's processes of one role."""
        rows = (await self.status())["processes"]
        return [row["pid"] for row in rows if (row["service"], row["role"]) == (service, role)]

    async def token(self, user_id: int, ttl: int = 3600) -> str:
        """A token as `messenger token` prints it."""
        text = await _run("token", str(user_id), "--ttl", str(ttl), "--data-dir", str(self.data_dir))
        return text.strip()

    async def wait_ready(self) -> None:
        """Returns once the stack says where it is; StackFailed with its output if it doesn't."""
        deadline = time.monotonic() + _READY_LIMIT_S
        while "Messenger is at" not in self.output:
            if self.process.returncode is not None:
                raise StackFailed(f"exit code {self.process.returncode}:\n{self.output[-_OUTPUT_SHOWN:]}")
            if time.monotonic() > deadline:
                raise StackFailed(f"not ready in {_READY_LIMIT_S:.0f} s:\n{self.output[-_OUTPUT_SHOWN:]}")
            await asyncio.sleep(_POLL_S)
        status = await self.status()
        self.url = status["url"]
        self.database_url = status["database_url"]
        self.redis_url = status["redis_url"]

    async def stop(self, number: signal.Signals = signal.SIGINT) -> float:
        """Stops the stack by a signal to its lead and returns how long that took; StackFailed past 20 s."""
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
) -> AsyncIterator[RunningStack]:
    """A stack that is ready; stopped on the way out, whatever happened, within 20 s and with exit code 0."""
    stack = await launch(data_dir, port, workers, env, redis)
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
) -> RunningStack:
    """Starts `messenger up` without waiting for it."""
    arguments = ["up", "--port", str(port), "--data-dir", str(data_dir)]
    arguments += ["--workers", workers] if workers else []
    arguments += ["--redis", redis] if redis else []
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    # To a file, not a pipe: nobody has to read it for the stack to go on, and failures can show it.
    output = data_dir.with_name(f"{data_dir.name}.log")
    start = output.stat().st_size if output.exists() else 0
    with output.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            _MESSENGER,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **(env or {})},
            # So that Ctrl-C on a test run reaches the run alone, which then stops the stack.
            start_new_session=True,
        )
    return RunningStack(process, data_dir, output, start)


async def _run(*arguments: str) -> str:
    """Runs a `messenger` command to its end and returns what it printed."""
    process = await asyncio.create_subprocess_exec(
        _MESSENGER, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
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
