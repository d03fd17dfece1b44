"""Restarts PostgreSQL with cold caches: its own, and as root those of the operating system."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Final

import psycopg2

from tests.bench.programs import BenchError
from tests.bench.search.indexing import query
from tests.bench.search.searching import Searches

_DROP: Final = Path("/proc/sys/vm/drop_caches")
_ALL: Final = "3\n"
_LIMIT_S: Final = 60.0
_POLL_S: Final = 0.1


def may_drop_caches() -> bool:
    """Whether the operating system's caches can be dropped."""
    return os.access(_DROP, os.W_OK)


async def restart_postgres(url: str, searches: Searches) -> None:
    """Restarts PostgreSQL, waits until the services have it again, and then drops the caches."""
    deadline = time.monotonic() + _LIMIT_S
    await asyncio.to_thread(_restart, url, deadline)
    while not await searches.are_possible():
        if time.monotonic() > deadline:
            raise BenchError(f"the services don't reach PostgreSQL again within {_LIMIT_S:.0f} s")
        await asyncio.sleep(_POLL_S)
    if may_drop_caches():
        await asyncio.to_thread(_drop_caches)


def _restart(url: str, deadline: float) -> None:
    """Stops the server. The supervisor starts it again."""
    [(child,)] = query(url, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
    postmaster = int(Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(postmaster, signal.SIGINT)
    while Path(f"/proc/{postmaster}").exists() or not _answers(url):
        if time.monotonic() > deadline:
            raise BenchError(f"PostgreSQL was not back within {_LIMIT_S:.0f} s")
        time.sleep(_POLL_S)


def _drop_caches() -> None:
    os.sync()
    _DROP.write_text(_ALL)


def _answers(url: str) -> bool:
    with contextlib.suppress(psycopg2.OperationalError):
        return query(url, "SELECT 1") == [(1,)]
    return False
