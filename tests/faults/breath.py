"""Owns watching over the run's own event loop: what is late because of it is nobody else's fault."""

from __future__ import annotations

import asyncio
import gc

_EVERY_S = 0.1
_FREEZE_EVERY = 50


class Breath:
    """Notes how long the loop stood still at most."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    async def watch(self) -> None:
        """Looks for ever."""
        loop = asyncio.get_running_loop()
        turn = 0
        while True:
            due = loop.time() + _EVERY_S
            await asyncio.sleep(_EVERY_S)
            self.longest_s = max(self.longest_s, loop.time() - due)
            turn += 1
            if turn % _FREEZE_EVERY == 0:
                # The log of a run grows and stays: looking through it for garbage would take seconds.
                gc.freeze()
