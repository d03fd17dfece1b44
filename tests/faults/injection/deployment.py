"""Starts the servers of a run: a stack, its Redis servers, and a proxy before each."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

import aiohttp
from aiohttp.test_utils import unused_port

from messenger_local.datadir import DataDir
from messenger_local.failure import StackError
from messenger_local.services import SERVICES, parse_workers
from messenger_local.status import read_status
from messenger_shared.bus import channels
from messenger_shared.bus.redis_bus import RedisBus
from messenger_shared.bus.redis_connection import RedisConnectionLost
from tests.faults.actors.gateway_client import GatewayClient, sessions
from tests.faults.injection.proxy import Proxy
from tests.faults.injection.redis_server import RedisServer
from tests.faults.injection.resp_drop import Losses
from tests.faults.record.database import TableReader
from tests.stack import RunningStack, running_stack

HOST = "127.0.0.1"
_POLL_S = 0.05
_SETTINGS = {
    # Short, so that a silent link is noticed within a run.
    "MESSENGER_HEARTBEAT_MS": "2000",
    "MESSENGER_MESSAGES_PER_S": "0",
    "MESSENGER_FRAMES_PER_S": "0",
}


class Shard(NamedTuple):
    """One of the Redis servers, and the proxy through which the stack reaches it."""

    redis: RedisServer
    proxy: Proxy


@dataclass(frozen=True, slots=True)
class Deployment:
    """The stack under test, with two addresses: `proxied` leads through `client_proxy`, `direct` doesn't."""

    stack: RunningStack
    shards: Sequence[Shard]
    losses: Losses
    client_proxy: Proxy
    direct: GatewayClient
    proxied: GatewayClient
    http: aiohttp.ClientSession
    tables: TableReader
    workers: Mapping[str, int]

    def pids(self, service: str, role: str = "worker") -> list[int]:
        """Returns the process ids of a service that live now."""
        try:
            rows = read_status(DataDir(self.stack.data_dir))["processes"]
        except StackError:
            return []
        return sorted(row["pid"] for row in rows if (row["service"], row["role"]) == (service, role))

    def shard_of(self, room: str) -> int:
        """Returns the number of the Redis server that has a conversation's channel."""
        bus = RedisBus([shard.redis.url for shard in self.shards], "")
        return bus.lanes.index(bus.lane(channels.conversation(room)))

    async def wait_until_complete(self, without: Collection[int]) -> None:
        """Returns when every service has all its workers on every Redis server, and none is in `without`."""
        while not await self._is_complete(without):  # noqa: ASYNC110  (processes tell nobody)
            await asyncio.sleep(_POLL_S)

    async def _is_complete(self, without: Collection[int]) -> bool:
        return all([await self._has_all(shard.redis, without) for shard in self.shards])

    async def _has_all(self, redis: RedisServer, without: Collection[int]) -> bool:
        try:
            # Each worker subscribes to its own tick channel, whose name holds its service and its pid.
            found = await redis.ask("PUBSUB", "CHANNELS", channels.tick("*"))
        except RedisConnectionLost:
            return False
        names = [name.decode().rsplit("-", 3) for name in found]
        present = Counter(service for service, _, pid, _ in names if int(pid) not in without)
        return all(present[channels.tick(name)] == self.workers[name] for name in SERVICES)


@asynccontextmanager
async def deployed(
    root: Path, random: Random, workers: str, env: Mapping[str, str] | None = None
) -> AsyncIterator[Deployment]:
    """Yields a deployment without users; removes all of it at the end."""
    numbers, losses, port = parse_workers(workers), Losses(random), unused_port()
    async with AsyncExitStack() as exits:
        shards = [await _shard(exits, root / f"redis-{number}", losses) for number in range(numbers["redis"])]
        client_proxy = await exits.enter_async_context(Proxy(port))
        urls = ",".join(_with_port(redis.url, proxy.port) for redis, proxy in shards)
        settings = {**_SETTINGS, **(env or {})}
        stack = await exits.enter_async_context(running_stack(root / "data", port, workers, settings, urls))
        http = await exits.enter_async_context(sessions())
        secret = (stack.data_dir / "secret").read_text().strip().encode()
        yield Deployment(
            stack,
            shards,
            losses,
            client_proxy,
            GatewayClient(http, HOST, port, secret),
            GatewayClient(http, HOST, client_proxy.port, secret),
            http,
            TableReader(stack.database_url),
            numbers,
        )


async def _shard(exits: AsyncExitStack, root: Path, losses: Losses) -> Shard:
    redis = RedisServer(root)
    exits.push_async_callback(redis.kill)
    await redis.start()
    port = urlsplit(redis.url).port or 0
    return Shard(redis, await exits.enter_async_context(Proxy(port, losses.new_filter)))


def _with_port(url: str, port: int) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f":{parts.password}@{parts.hostname}:{port}"))
