"""Pings all sockets, spread over the interval; closes those without a pong and those whose token expired."""

from __future__ import annotations

import asyncio
from typing import Final

from gateway.connections.connection import Connection
from gateway.connections.framing import PING
from gateway.connections.hub import Hub
from messenger_shared.contract.close_codes import Close

TICK_S: Final = 1.0


class Heartbeat:
    """Uses one task for all sockets: a timer for each would cost more memory than the rest of a socket."""

    def __init__(self, hub: Hub, heartbeat_ms: int) -> None:
        self._hub = hub
        self._heartbeat_s = heartbeat_ms / 1000
        self._ticks_per_heartbeat = max(1, round(self._heartbeat_s / TICK_S))
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Starts pinging."""
        self._task = asyncio.create_task(self._run(), name="heartbeat")

    async def stop(self) -> None:
        """Stops pinging; open sockets stay open."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        tick = 0
        while True:
            await asyncio.sleep(min(TICK_S, self._heartbeat_s))
            tick = (tick + 1) % self._ticks_per_heartbeat
            now = loop.time()
            for connection in self._hub.connections():
                if now >= connection.ends_at:
                    connection.close(Close.TOKEN_EXPIRED)
                elif connection.pinged_at:
                    if now - connection.pinged_at >= 2 * self._heartbeat_s:
                        connection.close(Close.HEARTBEAT_LOST)
                elif hash(connection) % self._ticks_per_heartbeat == tick:
                    self._ping(connection, now)

    def _ping(self, connection: Connection, now: float) -> None:
        connection.pinged_at = now
        connection.write(PING)
