"""Owns the sockets' pulse: pings spread over the interval, lost ones closed, expired tokens too."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from gateway.connection import Connection
from gateway.framing import PING
from gateway.hub import Hub
from messenger_shared.closes import Close

TICK_S: Final = 1.0


class Pulse:
    """One task for all sockets: a timer each would cost more memory than the rest of a socket."""

    def __init__(self, hub: Hub, heartbeat_ms: int) -> None:
        self._hub = hub
        self._heartbeat_s = heartbeat_ms / 1000
        self._turns = max(1, round(self._heartbeat_s / TICK_S))
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begins to beat."""
        self._task = asyncio.create_task(self._run(), name="pulse")

    async def stop(self) -> None:
        """Stops; what is open stays open."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        turn = 0
        while True:
            await asyncio.sleep(min(TICK_S, self._heartbeat_s))
            turn = (turn + 1) % self._turns
            now, unix = loop.time(), time.time()
            for connection in self._hub.connections():
                if unix >= connection.identity.expires_at:
                    connection.close(Close.TOKEN_EXPIRED)
                elif connection.pinged_at:
                    if now - connection.pinged_at >= 2 * self._heartbeat_s:
                        connection.close(Close.HEARTBEAT_LOST)
                elif hash(connection) % self._turns == turn:
                    self._ping(connection, now)

    def _ping(self, connection: Connection, now: float) -> None:
        connection.pinged_at = now
        connection.write(PING)
