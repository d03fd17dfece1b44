"""Writes the log lines of the stack and its services to the terminal."""

import contextlib
import os
import queue
import re
import threading
from datetime import datetime

from messenger_local.logline import Line

_COLOURS = {"warning": "33", "error": "31", "debug": "2"}
_SERVICE_COLOURS = {"gateway": "36", "chat-api": "32", "presence": "35", "feed": "34", "stack": "1"}
_SERVICE_WIDTH = 8
_LEVEL_WIDTH = 7
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_BACKLOG = 10_000
_FLUSH_LIMIT_S = 1.0


class Terminal:
    """Writes from its own thread, so that a paused terminal or an unread pipe never blocks the stack."""

    def __init__(self, fd: int, *, colour: bool) -> None:
        self._fd = fd
        self._colour = colour
        self._dropped = 0
        self._backlog: queue.Queue[str | None] = queue.Queue(_BACKLOG)
        self._writer = threading.Thread(target=self._write, name="terminal", daemon=True)
        self._writer.start()

    def show(self, service: str, line: Line) -> None:
        """Adds one entry to the log, unless its level is debug."""
        if line.level == "debug":
            return
        head = self._head(service, line.level)
        self.print("\n".join(f"{head}{_CONTROL.sub('?', part)}" for part in line.text.splitlines() or [""]))

    def print(self, text: str) -> None:
        """Adds `text` as it is. Drops it if 10,000 entries wait already, and later shows how many."""
        try:
            if self._dropped:
                self._backlog.put_nowait(f"({self._dropped} lines were not shown: nobody read them)")
                self._dropped = 0
            self._backlog.put_nowait(text)
        except queue.Full:
            self._dropped += 1

    def close(self) -> None:
        """Writes the waiting lines, for a second at most in case nobody reads them."""
        with contextlib.suppress(queue.Full):
            self._backlog.put_nowait(None)
        self._writer.join(_FLUSH_LIMIT_S)

    def _head(self, service: str, level: str) -> str:
        now = datetime.now().astimezone().strftime("%H:%M:%S.%f")[:-3]
        name = self._paint(service.ljust(_SERVICE_WIDTH), _SERVICE_COLOURS.get(service))
        return f"{now}  {name}  {self._paint(level.ljust(_LEVEL_WIDTH), _COLOURS.get(level))}  "

    def _paint(self, text: str, colour: str | None) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._colour and colour else text

    def _write(self) -> None:
        while (text := self._backlog.get()) is not None:
            data = f"{text}\n".encode(errors="replace")
            # The reader closed the pipe. The stack runs on without a log.
            with contextlib.suppress(OSError):
                while data:
                    data = data[os.write(self._fd, data) :]
