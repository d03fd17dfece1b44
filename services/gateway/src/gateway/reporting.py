"""Owns telling presence who is here: changes soon, the whole on demand, a sign of life always."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from gateway.hub import Hub
from gateway.reach import Reach
from messenger_shared import channels
from messenger_shared.bus import Bus
from messenger_shared.errors import AppError

log = logging.getLogger(__name__)

RENEW_S: Final = 2.0
RETRY_S: Final = 0.5
# After a report, what comes meanwhile goes together.
GATHER_S: Final = 0.05
TOLD_S: Final = 1.0


class Reporting:
    """One report is under way at a time, so that presence gets them in order."""

    def __init__(self, bus: Bus, reach: Reach, hub: Hub) -> None:
        self._bus = bus
        self._reach = reach
        self._hub = hub
        self._changed: set[int] = set()
        # What presence knows, or is being told: user -> whether he is away here.
        self._known: dict[int, bool] = {}
        self._under_way: dict[int, bool | None] = {}
        self._waiting: dict[asyncio.Future[None], int] = {}
        self._wake = asyncio.Event()
        self._full = True
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Reports from now on, and at once when presence asks for it or the bus was away."""
        self._bus.on_gap(self._wake.set)
        self._task = asyncio.create_task(self._run(), name="reporting")
        await self._bus.subscribe([channels.REPORTS], lambda _: self._wake.set())

    async def stop(self) -> None:
        """Tells presence that this worker ends."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        try:
            await self._reach.leave()
        except AppError:
            log.info("presence doesn't answer; the lease will end by itself")

    def changed(self, user_id: int) -> None:
        """A socket of the user came, went, or is otherwise there than before."""
        if self._known.get(user_id) != self._is_away(user_id):
            self._changed.add(user_id)
            self._wake.set()

    async def told(self, user_id: int) -> None:
        """Like `changed`; returns when presence knows, or after a while."""
        self.changed(user_id)
        if user_id in self._changed or user_id in self._under_way:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting[waiting] = user_id
            await asyncio.wait([waiting], timeout=TOLD_S)
            self._waiting.pop(waiting, None)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._report()
            except AppError:
                self._full = True
                await asyncio.sleep(RETRY_S)
                continue
            await asyncio.sleep(GATHER_S)
            if self._full:
                continue
            try:
                async with asyncio.timeout(RENEW_S):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _report(self) -> None:
        full, users = self._full, self._hub.members if self._full else self._changed
        self._changed = set()
        # The present state of each: whatever happened in between is no news.
        states = self._under_way = {user_id: self._is_away(user_id) for user_id in users}
        # Already now: what changes meanwhile is seen to have changed, and after a failure all is told anew.
        if full:
            self._known = {}
        for user_id, away in states.items():
            if away is None:
                self._known.pop(user_id, None)
            else:
                self._known[user_id] = away
        body = {
            "opened": [user_id for user_id, away in states.items() if away is False],
            "away": [user_id for user_id, away in states.items() if away],
            "closed": [user_id for user_id, away in states.items() if away is None],
            "full": full,
            "connections": self._hub.sockets,
        }
        try:
            self._full = not await self._reach.report(body)
        finally:
            self._under_way = {}
            for future, user_id in self._waiting.items():
                if user_id not in self._changed and not future.done():
                    future.set_result(None)

    def _is_away(self, user_id: int) -> bool | None:
        """Whether the user is away here: from all of his sockets. None if he has none."""
        member = self._hub.members.get(user_id)
        if member is None:
            return None
        if not member.connections:
            # On the way in or out, which changes nothing yet.
            return self._known.get(user_id, False)
        return all(connection.away for connection in member.connections)
