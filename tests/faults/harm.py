"""Owns harm to the servers: each fault of a plan, to whoever is there when its time comes."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

from messenger_shared.redis_link import LinkLost
from tests.faults.plan import Fault, Planned
from tests.faults.stage import Stage

DROP_RATE = 0.01
LEAVING_LIMIT_S = 30.0
_POLL_S = 0.05


class Harm:
    """Does what is planned; each method returns when the fault is over, though not yet what it did."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._bus: dict[Fault, Callable[[Planned], Awaitable[None]]] = {
            Fault.BUS_SUBSCRIBERS: self._cut_subscribers,
            Fault.BUS_EMPTY: self._empty_redis,
            Fault.BUS_RESTART: self._restart_redis,
            Fault.BUS_STOP: self._stop_redis,
            Fault.BUS_CUT: self._cut_bus,
            Fault.BUS_SILENCE: self._silence_bus,
            Fault.BUS_DROPS: self._drop,
            Fault.POSTGRES_FAST: self._restart_postgres,
            Fault.POSTGRES_IMMEDIATE: self._restart_postgres,
            Fault.POSTGRES_TERMINATE: self._terminate_backends,
        }

    async def do(self, planned: Planned) -> list[int]:
        """Does it; which workers will be replaced by others."""
        verb, _, rest = planned.fault.partition(" ")
        stage, old = self._stage, self._stage.pids(rest.removeprefix("all "))
        if planned.fault in self._bus:
            await self._bus[planned.fault](planned)
        elif rest.startswith("all "):
            self._signal(stage.pids(rest.removeprefix("all "), "master"), signal.SIGKILL, planned)
        elif verb == "stop":
            await self._freeze(old, planned)
            return []
        elif verb == "roll":
            # New workers first, then the old ones leave, as a deployment does.
            self._signal(stage.pids(rest, "master"), signal.SIGHUP, planned)
            await self._left(rest, old)
        elif verb == "term":
            old = [self._signal(old, signal.SIGTERM, planned)]
            await self._left(rest, old)
        else:
            old = [self._signal(old, signal.SIGKILL, planned)]
        return old

    def _signal(self, pids: list[int], number: signal.Signals, planned: Planned) -> int:
        """To one of them; 0 when nobody is there."""
        if not pids:
            return 0
        pid = pids[int(planned.pick * len(pids))]
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        return pid

    async def _freeze(self, pids: list[int], planned: Planned) -> None:
        pid = self._signal(pids, signal.SIGSTOP, planned)
        try:
            await asyncio.sleep(planned.lasts_s)
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT) if pid else None

    async def _left(self, service: str, pids: list[int]) -> None:
        """Waits until they are gone, which they take their time for."""
        async with asyncio.timeout(LEAVING_LIMIT_S):
            while set(pids) & set(self._stage.pids(service)):  # noqa: ASYNC110  (processes tell nobody)
                await asyncio.sleep(_POLL_S)

    async def _cut_subscribers(self, planned: Planned) -> None:
        with suppress(LinkLost):
            await self._stage.redis.ask("CLIENT", "KILL", "TYPE", "pubsub")

    async def _empty_redis(self, planned: Planned) -> None:
        with suppress(LinkLost):
            await self._stage.redis.ask("FLUSHALL")

    async def _restart_redis(self, planned: Planned) -> None:
        await self._stage.redis.kill()
        await asyncio.sleep(planned.lasts_s)
        await self._stage.redis.start()

    async def _stop_redis(self, planned: Planned) -> None:
        self._stage.redis.signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(planned.lasts_s)
        finally:
            self._stage.redis.signal(signal.SIGCONT)

    async def _cut_bus(self, planned: Planned) -> None:
        for passage in list(self._stage.bus.passages):
            passage.reset()

    async def _silence_bus(self, planned: Planned) -> None:
        self._stage.bus.silence()
        await asyncio.sleep(planned.lasts_s)
        self._stage.bus.speak()

    async def _drop(self, planned: Planned) -> None:
        self._stage.losses.rate = DROP_RATE
        await asyncio.sleep(planned.lasts_s)
        self._stage.losses.rate = 0.0

    async def _restart_postgres(self, planned: Planned) -> None:
        fast = planned.fault is Fault.POSTGRES_FAST
        self._signal(
            self._stage.pids("postgres", "server"), signal.SIGINT if fast else signal.SIGQUIT, planned
        )

    async def _terminate_backends(self, planned: Planned) -> None:
        await self._stage.tables.terminate_all()
