"""Owns the flow of presence: reports and ended leases go to the store, transitions to the listeners."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from typing import Final

from presence.ports import Listener, Report, Store, Transition

log = logging.getLogger(__name__)

MAX_CHANGES_AT_ONCE: Final = 500


class Tracker:
    """Who is online; every listener hears of each transition that this worker brought about."""

    def __init__(self, store: Store, listeners: Sequence[Listener]) -> None:
        self._store = store
        self._listeners = listeners
        # One step at a time: two that overlap could be told in another order than they were taken.
        self._order = asyncio.Lock()

    async def report(self, report: Report) -> bool:
        """Takes a gateway's report; False asks it for a full one."""
        for piece in _pieces(report):
            async with self._order:
                known, transitions = await self._store.report(piece)
                self._tell(transitions)
            if not known:
                return False
        return True

    async def leave(self, gateway: str) -> None:
        """Takes the users of a gateway that ends cleanly offline, unless another gateway holds them."""
        await self._store.leave(gateway)
        await self._release(gateway)

    async def online(self, user_ids: Sequence[int]) -> list[int]:
        """Those of `user_ids` who are online."""
        return await self._store.online(user_ids)

    async def sweep(self) -> None:
        """Takes the users of gateways that vanished offline."""
        for gateway in await self._store.ended():
            log.warning("the lease of %s has ended", gateway)
            await self._release(gateway)

    async def _release(self, gateway: str) -> None:
        """Step by step, so that a gateway with many users doesn't hold up the store."""
        more = True
        while more:
            async with self._order:
                transitions, more = await self._store.release(gateway)
                self._tell(transitions)

    def _tell(self, transitions: list[Transition]) -> None:
        if transitions:
            for listener in self._listeners:
                listener(transitions)


def _pieces(report: Report) -> Iterator[Report]:
    """Changes may be taken step by step, so that they don't hold up the store; a full report is one step."""
    changes = max(len(report.opened), len(report.closed))
    if report.full or changes <= MAX_CHANGES_AT_ONCE:
        yield report
        return
    for start in range(0, changes, MAX_CHANGES_AT_ONCE):
        part = slice(start, start + MAX_CHANGES_AT_ONCE)
        yield report._replace(opened=report.opened[part], closed=report.closed[part])
