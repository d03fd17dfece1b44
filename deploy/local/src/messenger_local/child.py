"""Owns one supervised process: started, restarted with back-off when it ends by itself, stopped in time."""

import asyncio
import contextlib
import signal
import subprocess
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from messenger_local.failure import StackError
from messenger_local.family import Command, Family
from messenger_local.logline import Line, Parser
from messenger_local.terminal import Terminal

_FIRST_DELAY_S = 0.2
_LONGEST_DELAY_S = 5.0
_HEALTHY_AFTER_S = 10.0
_HARD_STEP_S = 0.5
_TAIL_LINES = 20


class Backoff:
    """How long to wait before the next start: doubling, and forgotten after a stretch of health."""

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
class Recipe:
    """How to run one service, and how to stop it: ask once, wait, then the hard signals in turn."""

    service: str
    command: Command
    parse: Parser
    stop_signal: signal.Signals
    patience_s: float
    hard_signals: tuple[signal.Signals, ...] = (signal.SIGKILL,)
    prepare: Callable[[], Awaitable[None]] | None = None


class Child:
    """One service of the stack as one process that is kept alive until `stop`."""

    def __init__(
        self, recipe: Recipe, family: Family, terminal: Terminal, on_change: Callable[[], None]
    ) -> None:
        self.service = recipe.service
        self.endings = 0
        self.tail: deque[Line] = deque(maxlen=_TAIL_LINES)
        self._recipe = recipe
        self._family = family
        self._terminal = terminal
        self._on_change = on_change
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = asyncio.Event()
        self._task = asyncio.create_task(self._supervise(), name=f"supervise {recipe.service}")

    @property
    def pid(self) -> int | None:
        """The pid while the process runs, None between two lives."""
        return self._process.pid if self._process else None

    async def stop(self) -> None:
        """Ends the process and its supervision, within the recipe's patience and the hard steps."""
        self._stopping.set()
        recipe = self._recipe
        self._signal(recipe.stop_signal)
        done, _ = await asyncio.wait((self._task,), timeout=recipe.patience_s)
        for hard in () if done else recipe.hard_signals:
            self._say("warning", f"does not stop, sending {hard.name}")
            self._signal(hard)
            done, _ = await asyncio.wait((self._task,), timeout=_HARD_STEP_S)
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
            ending = await self._live()
            if not self._stopping.is_set():
                self.endings += 1
                delay_s = backoff.next(time.monotonic() - started)
                self._say("error", f"{ending}, starting it again in {delay_s:.1f} s")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), delay_s)

    async def _live(self) -> str:
        """One life of the process, from its start to its end; how it ended."""
        try:
            if self._recipe.prepare is not None:
                await self._recipe.prepare()
            self._process = self._family.spawn(self._recipe.command)
            self._on_change()
            return _describe(await self._family.attend(self._process, self._hear))
        except (StackError, OSError) as error:
            return f"cannot be started ({error})"
        finally:
            self._process = None
            self._on_change()

    def _hear(self, text: str) -> None:
        line = self._recipe.parse(text)
        self.tail.append(line)
        self._terminal.show(self.service, line)

    def _say(self, level: str, text: str) -> None:
        self._terminal.show("stack", Line(level, f"{self.service} {text}"))


def _describe(code: int) -> str:
    if code >= 0:
        return f"ended by itself (exit code {code})"
    return f"ended by {signal.Signals(-code).name}"
