"""The workers and callers of a contract test, over one kind of bus."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from messenger_shared.bus.interface import Bus
from messenger_shared.rpc.client import RpcClient
from messenger_shared.rpc.messages import Request
from messenger_shared.rpc.server import RpcServer


class World:
    """Workers and a caller over one kind of bus, under a service name that no other test uses."""

    def __init__(self, make: Callable[[str], Bus]) -> None:
        self.service = f"test-{uuid.uuid4()}"
        self._make = make
        self._stops: list[Callable[[], Any]] = []

    async def bus(self) -> Bus:
        bus = self._make(f"w-{uuid.uuid4()}")
        await bus.start()
        self._stops.append(bus.stop)
        return bus

    async def worker(
        self, handler: Callable[[Request], Any], is_healthy: Callable[[], bool] = lambda: True
    ) -> tuple[RpcServer, Bus]:
        bus = await self.bus()
        server = RpcServer(bus, self.service, {"do": handler}, is_healthy)
        await server.start()
        self._stops.append(server.stop)
        return server, bus

    async def caller(self) -> RpcClient:
        client = RpcClient(await self.bus(), [self.service])
        await client.start()
        self._stops.append(client.stop)
        return client

    async def stop(self) -> None:
        for stop in reversed(self._stops):
            await stop()
