"""Closes a worker's sockets before it ends. Each is told when to reconnect; the times are spread out."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import Final

from gateway.connections.connection import Connection
from gateway.connections.hub import Hub
from gateway.sockets.admission import Admission
from messenger_shared.contract.close_codes import Close

log = logging.getLogger(__name__)

# The slots take this share of the window. The rest is the time between a socket's slot and its close: in it,
# the client opens a socket elsewhere, resumes there, and closes this one itself.
SLOTS_SHARE: Final = 0.75
# How long a close waits for the socket's commands that are under way.
COMMANDS_TIMEOUT_S: Final = 2.0


class Drain:
    """Closes all sockets of this worker within `window_s`."""

    def __init__(self, hub: Hub, admission: Admission, window_s: float) -> None:
        self._hub = hub
        self._admission = admission
        self._window_s = window_s
        self._loop = asyncio.get_running_loop()

    async def run(self) -> None:
        """Refuses new sockets; returns when every socket is gone."""
        self._admission.close()
        connections = self._hub.connections()
        # Not by age: sockets of one user, or of one burst of arrivals, must not reconnect together.
        random.shuffle(connections)
        log.info("draining: %d sockets", len(connections))
        step_s = self._window_s * SLOTS_SHARE / max(1, len(connections))
        started_at = self._loop.time()
        for number, connection in enumerate(connections):
            connection.send(
                {"type": "system", "event": "draining", "reconnect_after_ms": int(step_s * number * 1000)}
            )
        first_close_at = started_at + self._window_s * (1 - SLOTS_SHARE)
        await self._close_all(connections, first_close_at, step_s)

    async def _close_all(self, connections: list[Connection], first_close_at: float, step_s: float) -> None:
        """Closes the sockets one after the other; stops early when all have gone by themselves."""
        closes: list[asyncio.Task[None]] = []
        for number, connection in enumerate(connections):
            if await self._wait_until_empty(first_close_at + step_s * number):
                break
            closes.append(
                asyncio.create_task(
                    connection.close_when_idle(Close.DRAINING, COMMANDS_TIMEOUT_S), name="draining socket"
                )
            )
        # Sockets that came in at the last moment have had no slot.
        late = set(self._hub.connections()).difference(connections)
        await asyncio.gather(*closes, *(c.close_when_idle(Close.DRAINING, COMMANDS_TIMEOUT_S) for c in late))

    async def _wait_until_empty(self, deadline: float) -> bool:
        """Waits until `deadline`, or until no socket is left; returns whether none is."""
        left_s = deadline - self._loop.time()
        if left_s > 0:
            try:
                async with asyncio.timeout(left_s):
                    await self._hub.empty.wait()
            except TimeoutError:
                pass
        return self._hub.empty.is_set()
