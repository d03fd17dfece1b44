"""Tests whether the service works: one user's message reaches another within a second."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable

from tests.faults.actors.user import User
from tests.faults.injection.deployment import Deployment

ROUND_TRIP_S = 1.0
_PAUSE_S = 0.05
_POLL_S = 0.005


class Probe:
    """One user sends over the socket or over REST, the other one receives it on a socket."""

    def __init__(self, sender: User, hearer: User, room: str, *, by_rest: bool) -> None:
        self.users = (sender, hearer)
        self.room = room
        self._by_rest = by_rest

    async def works(self) -> None:
        """Returns when one message, sent from now on, is answered and received within a second."""
        while not await self._round_trip():  # noqa: ASYNC110  (the only way to know is to try)
            await asyncio.sleep(_PAUSE_S)

    async def _round_trip(self) -> bool:
        sender, hearer = self.users
        try:
            async with asyncio.timeout(ROUND_TRIP_S):
                send = await sender.try_to_send(self.room, by_rest=self._by_rest)
                if not send.acks:
                    return False
                catch_up = hearer.devices[0].catch_up
                while not catch_up.has(self.room, send.acks[0].stored.pos):  # noqa: ASYNC110
                    await asyncio.sleep(_POLL_S)
                return True
        except TimeoutError:
            return False


async def recovery(
    deployment: Deployment, probes: Iterable[Probe], gone: Collection[int], timeout_s: float
) -> bool:
    """Returns True when every probe works and the workers in `gone` are replaced, False after `timeout_s`."""
    try:
        async with asyncio.timeout(timeout_s):
            await asyncio.gather(deployment.wait_until_complete(gone), *(probe.works() for probe in probes))
            return True
    except TimeoutError:
        return False
