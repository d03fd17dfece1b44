"""Owns the flow of presence: what gateways and users say goes to the store, transitions to the world."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Final

from presence.ports import Choice, Listener, Report, Some, Store, Transition, Unloaded, Voice

log = logging.getLogger(__name__)

MAX_CHANGES_AT_ONCE: Final = 500


class Tracker:
    """Who is there; `voice` and the listeners are told what came of a step, by the worker that made it.

    `load` brings all choices into the store.
    """

    def __init__(
        self, store: Store, voice: Voice, load: Callable[[], Awaitable[None]], *listeners: Listener
    ) -> None:
        self._store = store
        self._voice = voice
        # Whoever keeps something keeps it before it is told.
        self._listeners = (*listeners, voice.tell)
        self._load = load
        # One step at a time: two that overlap could be told in another order than they were taken.
        self._order = asyncio.Lock()

    async def report(self, report: Report) -> bool:
        """Takes a gateway's report; False asks it for a full one."""
        for piece in _pieces(report):
            try:
                known = await self._report(piece)
            except Unloaded:
                await self._load()
                known = await self._report(piece)
            if not known:
                return False
        return True

    async def leave(self, gateway: str) -> None:
        """A gateway ends cleanly: those of its users whom no other gateway holds have their grace."""
        await self._store.leave(gateway)
        await self._all(partial(self._store.release, gateway))

    async def choose(self, choice: Choice) -> None:
        """Takes what a user chose, and tells it, also when it changes nothing for others."""
        async with self._order:
            transition, moved = await self._store.choose(choice)
            if transition is None:
                return
            if moved:
                self._tell([transition])
            else:
                self._voice.repeat(transition)

    async def sweep(self) -> None:
        """Takes those offline whose gateway has vanished, and those whose grace is over."""
        look = await self._store.look()
        if look.unattended:
            self._voice.ask_reports()
        for gateway in look.ended:
            log.warning("the lease of %s has ended", gateway)
            await self._all(partial(self._store.release, gateway))
        await self._all(self._store.lapse)
        if not look.loaded:
            await self._load()

    async def _report(self, report: Report) -> bool:
        async with self._order:
            known, transitions = await self._store.report(report)
            self._tell(transitions)
        return known

    async def _all(self, step: Callable[[], Awaitable[Some]]) -> None:
        """Step by step, so that many users don't hold up the store."""
        more = True
        while more:
            async with self._order:
                transitions, more = await step()
                self._tell(transitions)

    def _tell(self, transitions: list[Transition]) -> None:
        if transitions:
            for listener in self._listeners:
                listener(transitions)


def _pieces(report: Report) -> Iterator[Report]:
    """Changes may be taken step by step, so that they don't hold up the store; a full report is one step."""
    changes = max(len(report.opened), len(report.away), len(report.closed))
    if report.full or changes <= MAX_CHANGES_AT_ONCE:
        yield report
        return
    for start in range(0, changes, MAX_CHANGES_AT_ONCE):
        part = slice(start, start + MAX_CHANGES_AT_ONCE)
        yield report._replace(opened=report.opened[part], away=report.away[part], closed=report.closed[part])
