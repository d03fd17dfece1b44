"""Owns the question whether all works: two people, a message from one to the other, within a second."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable

from tests.faults.person import Person
from tests.faults.stage import Stage

ROUND_TRIP_S = 1.0
_PAUSE_S = 0.05
_POLL_S = 0.005


class Pair:
    """One asks through the socket or through REST, the other hears it on his socket."""

    def __init__(self, sender: Person, hearer: Person, room: str, *, by_rest: bool) -> None:
        self.people = (sender, hearer)
        self.room = room
        self._by_rest = by_rest

    async def works(self) -> None:
        """Returns when one message, asked for from now on, was answered and heard within a second."""
        while not await self._round_trip():  # noqa: ASYNC110  (the only way to know is to try)
            await asyncio.sleep(_PAUSE_S)

    async def _round_trip(self) -> bool:
        sender, hearer = self.people
        try:
            async with asyncio.timeout(ROUND_TRIP_S):
                send = await sender.try_to_say(self.room, by_rest=self._by_rest)
                if not send.acks:
                    return False
                returning = hearer.devices[0].returning
                while not returning.has(self.room, send.acks[0].stored.pos):  # noqa: ASYNC110
                    await asyncio.sleep(_POLL_S)
                return True
        except TimeoutError:
            return False


async def recovery(stage: Stage, pairs: Iterable[Pair], gone: Collection[int], patience_s: float) -> bool:
    """Returns when every pair has come through and others are there for those `gone`; False if never."""
    try:
        async with asyncio.timeout(patience_s):
            await asyncio.gather(stage.whole(gone), *(pair.works() for pair in pairs))
            return True
    except TimeoutError:
        return False
