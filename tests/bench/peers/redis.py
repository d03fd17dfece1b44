"""A Redis of a peer's own: the same program with the same settings as our stack's."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from messenger_local.datadir import DataDir
from messenger_local.valkey import Valkey
from tests.bench.servers import started


class Redis(NamedTuple):
    """A running Redis."""

    url: str
    pid: int


@contextlib.asynccontextmanager
async def redis_in(directory: Path) -> AsyncIterator[Redis]:
    """Yields an empty Redis, which keeps nothing on disk."""
    data = DataDir(directory / "redis")
    data.run.mkdir(parents=True)
    valkey = Valkey(data)
    program, settings = valkey.spec().command.argv
    argv = (program, str(data.run / settings))
    port = urlsplit(valkey.url).port
    assert port
    async with started("redis", argv, port, directory) as pid:
        yield Redis(valkey.url, pid)
