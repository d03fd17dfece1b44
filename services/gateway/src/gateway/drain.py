"""Owns leaving: every socket is told when to go elsewhere, those moments are spread, nobody is cut off."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import Final

from gateway.admission import Admission
from gateway.connection import Connection
from gateway.hub import Hub
from messenger_shared.closes import Close

log = logging.getLogger(__name__)

# Of the window, so much for the slots; the rest is each socket's time from its slot until it is closed, in
# which its client opens another one elsewhere, resumes there, and leaves here by itself.
SLOTS_SHARE: Final = 0.75
# For commands that are under way when their socket's time is up.
FINISH_S: Final = 2.0


class Drain:
    """Empties this worker within `window_s`."""

    def __init__(self, hub: Hub, admission: Admission, window_s: float) -> None:
        self._hub = hub
        self._admission = admission
        self._window_s = window_s
        self._loop = asyncio.get_running_loop()

    async def run(self) -> None:
        """Returns when every socket is gone."""
        self._admission.close()
        connections = self._hub.connections()
        # Not by age: those of one user, or of one burst of arrivals, shall not go together.
        random.shuffle(connections)
        log.info("leaving: %d sockets", len(connections))
        step_s = self._window_s * SLOTS_SHARE / max(1, len(connections))
        begun = self._loop.time()
        for number, connection in enumerate(connections):
            connection.send(
                {"type": "system", "event": "draining", "reconnect_after_ms": int(step_s * number * 1000)}
            )
        first_end = begun + self._window_s * (1 - SLOTS_SHARE)
        await self._part(connections, first_end, step_s)

    async def _part(self, connections: list[Connection], first_end: float, step_s: float) -> None:
        """Closes one after the other, unless they have gone by themselves; all of them, at the end."""
        partings: list[asyncio.Task[None]] = []
        for number, connection in enumerate(connections):
            if await self._emptied_before(first_end + step_s * number):
                break
            partings.append(asyncio.create_task(connection.part(Close.DRAINING, FINISH_S), name="parting"))
        # Who came in at the last moment has had no slot.
        late = set(self._hub.connections()).difference(connections)
        await asyncio.gather(*partings, *(c.part(Close.DRAINING, FINISH_S) for c in late))

    async def _emptied_before(self, moment: float) -> bool:
        """Waits until then, or until no socket is left."""
        left_s = moment - self._loop.time()
        if left_s > 0:
            try:
                async with asyncio.timeout(left_s):
                    await self._hub.empty.wait()
            except TimeoutError:
                pass
        return self._hub.empty.is_set()
