"""Supervises one process: starts it, restarts it with back-off when it ends by itself, stops it in time."""

import asyncio
import contextlib
import signal
import subprocess
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from messenger_local.failure import StackError
from messenger_local.logline import Line, Parser
from messenger_local.processes import Command, ProcessManager
from messenger_local.terminal import Terminal

_FIRST_DELAY_S = 0.2
_LONGEST_DELAY_S = 5.0
_HEALTHY_AFTER_S = 10.0
_KILL_STEP_S = 0.5
_TAIL_LINES = 20


class Backoff:
    """The delay before the next start. It doubles each time and is reset after a healthy run."""

    def __init__(self) -> None:
        self._delay_s = _FIRST_DELAY_S

    def next(self, lived_s: float) -> float:
        """The delay after a process that lived for `lived_s`."""
        if lived_s >= _HEALTHY_AFTER_S:
            self._delay_s = _FIRST_DELAY_S
        delay_s = self._delay_s
        self._delay_s = min(2 * delay_s, _LONGEST_DELAY_S)
        return delay_s


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """How to run one service and how to stop it: `stop_signal`, a wait, then the kill signals in turn."""

    service: str
    command: Command
    parse: Parser
    stop_signal: signal.Signals
    stop_timeout_s: float
    kill_signals: tuple[signal.Signals, ...] = (signal.SIGKILL,)
    prepare: Callable[[], Awaitable[None]] | None = None


class Child:
    """Keeps one service of the stack running as one process until `stop`."""

    def __init__(
        self, spec: ProcessSpec, processes: ProcessManager, terminal: Terminal, on_change: Callable[[], None]
    ) -> None:
        self.service = spec.service
        self.exits = 0
        self.tail: deque[Line] = deque(maxlen=_TAIL_LINES)
        self._spec = spec
        self._processes = processes
        self._terminal = terminal
        self._on_change = on_change
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = asyncio.Event()
        self._task = asyncio.create_task(self._supervise(), name=f"supervise {spec.service}")

    @property
    def stop_timeout_s(self) -> float:
        """The least time, in seconds, that the process gets to stop by itself."""
        return self._spec.stop_timeout_s

    @property
    def pid(self) -> int | None:
        """The process id, or None while the process doesn't run."""
        return self._process.pid if self._process else None

    async def stop(self, stop_timeout_s: float = 0.0) -> None:
        """Stops the process. Sends kill signals after the longer of `stop_timeout_s` and the spec's."""
        self._stopping.set()
        spec = self._spec
        self._signal(spec.stop_signal)
        done, _ = await asyncio.wait((self._task,), timeout=max(spec.stop_timeout_s, stop_timeout_s))
        for kill_signal in () if done else spec.kill_signals:
            self._log("warning", f"does not stop, sending {kill_signal.name}")
            self._signal(kill_signal)
            done, _ = await asyncio.wait((self._task,), timeout=_KILL_STEP_S)
            if done:
                break
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _supervise(self) -> None:
        backoff = Backoff()
        while not self._stopping.is_set():
            started = time.monotonic()
            reason = await self._run_once()
            if not self._stopping.is_set():
                self.exits += 1
                delay_s = backoff.next(time.monotonic() - started)
                self._log("error", f"{reason}, starting it again in {delay_s:.1f} s")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), delay_s)

    async def _run_once(self) -> str:
        """Runs the process once, to its end. Returns how it ended, as text for the log."""
        try:
            if self._spec.prepare is not None:
                await self._spec.prepare()
            self._process = self._processes.spawn(self._spec.command)
            self._on_change()
            return _describe(await self._processes.wait(self._process, self._on_line))
        except (StackError, OSError) as error:
            return f"could not be started ({error})"
        finally:
            self._process = None
            self._on_change()

    def _on_line(self, text: str) -> None:
        line = self._spec.parse(text)
        self.tail.append(line)
        self._terminal.show(self.service, line)

    def _log(self, level: str, text: str) -> None:
        self._terminal.show("stack", Line(level, f"{self.service} {text}"))


def _describe(code: int) -> str:
    if code >= 0:
        return f"ended by itself (exit code {code})"
    return f"ended by {signal.Signals(-code).name}"
