"""Tells the CPU of one application's PostgreSQL backends apart from that of the others."""

from __future__ import annotations

import asyncio
import os
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Final

import psycopg2

_EVERY_S: Final = 0.5
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_PIDS: Final = "SELECT pid FROM pg_stat_activity WHERE application_name = %s"


class Backends:
    """Reads the CPU of these backends again and again, since a backend takes its own along when it ends."""

    def __init__(self, url: str, application: str) -> None:
        self._url = url
        self._application = application
        self._first: dict[int, float] = {}
        self._last: dict[int, float] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def seconds(self) -> float:
        """Returns the CPU since the beginning."""
        return sum(used - self._first.get(pid, 0.0) for pid, used in self._last.items())

    async def __aenter__(self) -> Backends:
        self._first = await asyncio.to_thread(self._read)
        self._task = asyncio.create_task(self._read_regularly(), name="backends")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if error is None:
            self._last |= await asyncio.to_thread(self._read)

    async def _read_regularly(self) -> None:
        while True:
            await asyncio.sleep(_EVERY_S)
            self._last |= await asyncio.to_thread(self._read)

    def _read(self) -> dict[int, float]:
        with (
            closing(psycopg2.connect(self._url, connect_timeout=5)) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(_PIDS, (self._application,))
            pids = [pid for (pid,) in cursor.fetchall()]
        return {pid: used for pid in pids if (used := _cpu_s(pid)) is not None}


def _cpu_s(pid: int) -> float | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return sum(map(int, fields[11:13])) / _TICKS_PER_S
