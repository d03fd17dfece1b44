"""Injects the faults of servers, each into a process that lives when its time comes."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

from messenger_shared.bus.redis_connection import RedisConnectionLost
from tests.faults.injection.deployment import Deployment
from tests.faults.injection.plan import Fault, Planned
from tests.faults.injection.proxy import Proxy
from tests.faults.injection.redis_server import RedisServer

DROP_RATE = 0.01
LEAVING_LIMIT_S = 30.0
_POLL_S = 0.05


class ServerFaults:
    """Injects planned faults. Each method returns when the fault is over; its effects may last longer."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._one_shard: dict[Fault, Callable[[Planned], Awaitable[None]]] = {
            Fault.BUS_SUBSCRIBERS: self._cut_subscribers,
            Fault.BUS_EMPTY: self._empty_redis,
            Fault.BUS_RESTART: self._restart_redis,
            Fault.BUS_STOP: self._stop_redis,
            Fault.BUS_CUT: self._cut_bus,
            Fault.BUS_SILENCE: self._silence_bus,
        }
        self._stores = self._one_shard | {
            Fault.BUS_DROPS: self._drop,
            Fault.POSTGRES_FAST: self._restart_postgres,
            Fault.POSTGRES_IMMEDIATE: self._restart_postgres,
            Fault.POSTGRES_TERMINATE: self._terminate_backends,
        }

    async def inject(self, planned: Planned) -> list[int]:
        """Injects the fault; returns the process ids of the workers that will be replaced."""
        verb, _, rest = planned.fault.partition(" ")
        deployment, old = self._deployment, self._deployment.pids(rest.removeprefix("all "))
        if planned.fault in self._stores:
            await self._stores[planned.fault](planned)
        elif rest.startswith("all "):
            self._signal(deployment.pids(rest.removeprefix("all "), "master"), signal.SIGKILL, planned)
        elif verb == "stop":
            await self._freeze(old, planned)
            return []
        elif verb == "roll":
            # New workers start before the old ones leave, as in a deployment.
            self._signal(deployment.pids(rest, "master"), signal.SIGHUP, planned)
            await self._wait_until_ended(rest, old)
        elif verb == "term":
            old = [self._signal(old, signal.SIGTERM, planned)]
            await self._wait_until_ended(rest, old)
        else:
            old = [self._signal(old, signal.SIGKILL, planned)]
        return old

    def _signal(self, pids: list[int], number: signal.Signals, planned: Planned) -> int:
        """Signals one of the processes and returns its id; 0 when there is none."""
        if not pids:
            return 0
        pid = pids[int(planned.pick * len(pids))]
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        return pid

    async def _freeze(self, pids: list[int], planned: Planned) -> None:
        pid = self._signal(pids, signal.SIGSTOP, planned)
        try:
            await asyncio.sleep(planned.duration_s)
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT) if pid else None

    async def _wait_until_ended(self, service: str, pids: list[int]) -> None:
        """Waits until these processes have ended; they may take a while to drain."""
        async with asyncio.timeout(LEAVING_LIMIT_S):
            while set(pids) & set(self._deployment.pids(service)):  # noqa: ASYNC110  (processes tell nobody)
                await asyncio.sleep(_POLL_S)

    def shard(self, planned: Planned) -> int | None:
        """Returns the number of the Redis server that has the fault; None for a fault of something else."""
        return self._number(planned) if planned.fault in self._one_shard else None

    def _number(self, planned: Planned) -> int:
        return int(planned.pick * len(self._deployment.shards))

    async def _cut_subscribers(self, planned: Planned) -> None:
        with suppress(RedisConnectionLost):
            await self._redis(planned).ask("CLIENT", "KILL", "TYPE", "pubsub")

    async def _empty_redis(self, planned: Planned) -> None:
        with suppress(RedisConnectionLost):
            await self._redis(planned).ask("FLUSHALL")

    async def _restart_redis(self, planned: Planned) -> None:
        redis = self._redis(planned)
        await redis.kill()
        await asyncio.sleep(planned.duration_s)
        await redis.start()

    async def _stop_redis(self, planned: Planned) -> None:
        redis = self._redis(planned)
        redis.signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(planned.duration_s)
        finally:
            redis.signal(signal.SIGCONT)

    async def _cut_bus(self, planned: Planned) -> None:
        for link in list(self._bus_proxy(planned).links):
            link.reset()

    async def _silence_bus(self, planned: Planned) -> None:
        proxy = self._bus_proxy(planned)
        proxy.stop_traffic()
        await asyncio.sleep(planned.duration_s)
        proxy.resume_traffic()

    def _redis(self, planned: Planned) -> RedisServer:
        return self._deployment.shards[self._number(planned)].redis

    def _bus_proxy(self, planned: Planned) -> Proxy:
        return self._deployment.shards[self._number(planned)].proxy

    async def _drop(self, planned: Planned) -> None:
        self._deployment.losses.rate = DROP_RATE
        await asyncio.sleep(planned.duration_s)
        self._deployment.losses.rate = 0.0

    async def _restart_postgres(self, planned: Planned) -> None:
        fast = planned.fault is Fault.POSTGRES_FAST
        self._signal(
            self._deployment.pids("postgres", "server"), signal.SIGINT if fast else signal.SIGQUIT, planned
        )

    async def _terminate_backends(self, planned: Planned) -> None:
        await self._deployment.tables.terminate_all()
