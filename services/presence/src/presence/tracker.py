"""Passes reports, choices and the passing of time to the store, and publishes the transitions that result."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Final

from presence.ports import (
    Choice,
    ChoicesNotLoaded,
    Listener,
    Report,
    StepResult,
    Store,
    Transition,
    TransitionPublisher,
)

log = logging.getLogger(__name__)

MAX_CHANGES_AT_ONCE: Final = 500


class Tracker:
    """Tracks who is online. The worker that makes a step passes its transitions to the listeners.

    `publisher` is the last listener. `load_choices` loads the choices into the store.
    """

    def __init__(
        self,
        store: Store,
        publisher: TransitionPublisher,
        load_choices: Callable[[], Awaitable[None]],
        *listeners: Listener,
    ) -> None:
        self._store = store
        self._publisher = publisher
        # Listeners record a transition before it is published.
        self._listeners = (*listeners, publisher.publish)
        self._load_choices = load_choices
        # One step at a time: overlapping steps could be published in another order than they were made.
        self._order = asyncio.Lock()

    async def report(self, report: Report) -> bool:
        """Takes a gateway's report. Returns False if the gateway must send a full report."""
        for piece in _split(report):
            try:
                known = await self._report(piece)
            except ChoicesNotLoaded:
                await self._load_choices()
                known = await self._report(piece)
            if not known:
                return False
        return True

    async def leave(self, gateway: str) -> None:
        """Removes a gateway that shuts down. The grace period begins for users who have no other gateway."""
        await self._store.leave(gateway)
        await self._repeat_until_done(partial(self._store.release, gateway))

    async def choose(self, choice: Choice) -> None:
        """Takes a user's choice and publishes it, even if others see the user as before."""
        async with self._order:
            transition, has_changed = await self._store.choose(choice)
            if transition is None:
                return
            if has_changed:
                self._notify([transition])
            else:
                self._publisher.republish(transition)

    async def sweep(self) -> None:
        """Releases the users of vanished gateways, and takes users offline whose grace period is over."""
        info = await self._store.begin_sweep()
        if info.unattended:
            self._publisher.request_reports()
        for gateway in info.expired:
            log.warning("the lease of gateway %s has expired", gateway)
            await self._repeat_until_done(partial(self._store.release, gateway))
        await self._repeat_until_done(self._store.end_grace_periods)
        if not info.choices_loaded:
            await self._load_choices()

    async def _report(self, report: Report) -> bool:
        async with self._order:
            known, transitions = await self._store.report(report)
            self._notify(transitions)
        return known

    async def _repeat_until_done(self, step: Callable[[], Awaitable[StepResult]]) -> None:
        """Repeats a step until nothing is left. Each step is small, so that it doesn't block the store."""
        more = True
        while more:
            async with self._order:
                transitions, more = await step()
                self._notify(transitions)

    def _notify(self, transitions: list[Transition]) -> None:
        if transitions:
            for listener in self._listeners:
                listener(transitions)


def _split(report: Report) -> Iterator[Report]:
    """Splits a large report, so that no step blocks the store for long. A full report must stay one step."""
    changes = max(len(report.opened), len(report.away), len(report.closed))
    if report.full or changes <= MAX_CHANGES_AT_ONCE:
        yield report
        return
    for start in range(0, changes, MAX_CHANGES_AT_ONCE):
        part = slice(start, start + MAX_CHANGES_AT_ONCE)
        yield report._replace(opened=report.opened[part], away=report.away[part], closed=report.closed[part])
