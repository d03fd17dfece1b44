"""Owns what a run happens on: a stack of its own, a Redis of its own, and the proxies before both."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from urllib.parse import urlsplit, urlunsplit

import aiohttp
from aiohttp.test_utils import unused_port

from messenger_local.datadir import DataDir
from messenger_local.failure import StackError
from messenger_local.services import parse_workers
from messenger_local.status import read_status
from messenger_shared import channels
from messenger_shared.redis_link import LinkLost
from tests.faults.database import TableReader
from tests.faults.door import Door, sessions
from tests.faults.proxy import Proxy
from tests.faults.redis_server import RedisServer
from tests.faults.resp_drop import Losses
from tests.stack import RunningStack, running_stack

HOST = "127.0.0.1"
_POLL_S = 0.05
_SETTINGS = {
    # Short, so that a silent link is noticed within a run.
    "MESSENGER_HEARTBEAT_MS": "2000",
    "MESSENGER_MESSAGES_PER_S": "0",
    "MESSENGER_FRAMES_PER_S": "0",
}


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that can be harmed, and two ways in: `door` is direct, `shaky` leads through `links`."""

    stack: RunningStack
    redis: RedisServer
    bus: Proxy
    losses: Losses
    links: Proxy
    door: Door
    shaky: Door
    http: aiohttp.ClientSession
    tables: TableReader
    workers: Mapping[str, int]

    def pids(self, service: str, role: str = "worker") -> list[int]:
        """The processes of a service that live now."""
        try:
            rows = read_status(DataDir(self.stack.data_dir))["processes"]
        except StackError:
            return []
        return sorted(row["pid"] for row in rows if (row["service"], row["role"]) == (service, role))

    async def whole(self, without: Collection[int]) -> None:
        """Returns when every service has all its workers on the bus, and none of them is of `without`."""
        while not await self._is_whole(without):  # noqa: ASYNC110  (processes tell nobody)
            await asyncio.sleep(_POLL_S)

    async def _is_whole(self, without: Collection[int]) -> bool:
        try:
            # Each worker hears its own tick, by a name that holds its service and its pid.
            found = await self.redis.ask("PUBSUB", "CHANNELS", channels.tick("*"))
        except LinkLost:
            return False
        names = [name.decode().rsplit("-", 3) for name in found]
        there = Counter(service for service, _, pid, _ in names if int(pid) not in without)
        return all(there[channels.tick(name)] == number for name, number in self.workers.items())


@asynccontextmanager
async def set_up(
    root: Path, random: Random, workers: str = "", env: Mapping[str, str] | None = None
) -> AsyncIterator[Stage]:
    """A stage in which nobody is yet; all of it is gone at the end."""
    redis = RedisServer(root / "redis")
    await redis.start()
    losses = Losses(random)
    port = unused_port()
    try:
        async with (
            Proxy(urlsplit(redis.url).port or 0, losses.sieve) as bus,
            Proxy(port) as links,
            running_stack(
                root / "data", port, workers, {**_SETTINGS, **(env or {})}, _with_port(redis.url, bus.port)
            ) as stack,
            sessions() as http,
        ):
            secret = (stack.data_dir / "secret").read_text().strip().encode()
            yield Stage(
                stack,
                redis,
                bus,
                losses,
                links,
                Door(http, HOST, port, secret),
                Door(http, HOST, links.port, secret),
                http,
                TableReader(stack.database_url),
                parse_workers(workers),
            )
    finally:
        await redis.kill()


def _with_port(url: str, port: int) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f":{parts.password}@{parts.hostname}:{port}"))
