"""Watches the harness's own event loop: what is late because the loop stalls is not the product's fault."""

from __future__ import annotations

import asyncio
import gc

_EVERY_S = 0.1
_FREEZE_EVERY = 50


class StallMonitor:
    """Keeps the longest stall of the event loop, in seconds."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    async def watch(self) -> None:
        """Watches until it is cancelled."""
        loop = asyncio.get_running_loop()
        number = 0
        while True:
            due = loop.time() + _EVERY_S
            await asyncio.sleep(_EVERY_S)
            self.longest_s = max(self.longest_s, loop.time() - due)
            number += 1
            if number % _FREEZE_EVERY == 0:
                # The log of a run only grows: garbage collection over it would take seconds.
                gc.freeze()
