"""The presence reporter: tells the presence service which users have sockets on this worker.

It reports changes soon, everything if presence asks for it, and at least every RENEW_S to renew the lease.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from gateway.connections.hub import Hub
from gateway.presence.client import PresenceClient
from messenger_shared.bus import channels
from messenger_shared.bus.interface import Bus
from messenger_shared.contract.errors import AppError

log = logging.getLogger(__name__)

RENEW_S: Final = 2.0
RETRY_S: Final = 0.5
# The pause after a report; the changes in it go into the next report together.
PAUSE_S: Final = 0.05
WAIT_KNOWN_S: Final = 1.0


class PresenceReporter:
    """Sends one report at a time, so that presence gets them in order."""

    def __init__(self, bus: Bus, presence_client: PresenceClient, hub: Hub) -> None:
        self._bus = bus
        self._presence_client = presence_client
        self._hub = hub
        self._changed: set[int] = set()
        # User id -> whether the user is away here, as presence knows it or is being told.
        self._known: dict[int, bool] = {}
        self._in_flight: dict[int, bool | None] = {}
        self._waiters: dict[asyncio.Future[None], int] = {}
        self._wake = asyncio.Event()
        self._full = True
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Starts to report; a request by presence and a gap of the bus cause a report at once."""
        self._bus.on_gap(self._wake.set)
        self._task = asyncio.create_task(self._run(), name="presence reporter")
        await self._bus.subscribe([channels.REPORTS], lambda _: self._wake.set())

    async def stop(self) -> None:
        """Ends the reports, and tells presence that this worker ends."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        try:
            await self._presence_client.leave()
        except AppError:
            log.info("presence did not answer; the lease will expire")

    def changed(self, user_id: int) -> None:
        """Notes that a socket of the user opened, closed, went away or came back."""
        if self._known.get(user_id) != self._is_away(user_id):
            self._changed.add(user_id)
            self._wake.set()

    async def wait_known(self, user_id: int) -> None:
        """Like `changed`, but returns when presence knows it, or after WAIT_KNOWN_S."""
        self.changed(user_id)
        if user_id in self._changed or user_id in self._in_flight:
            waiting = asyncio.get_running_loop().create_future()
            self._waiters[waiting] = user_id
            await asyncio.wait([waiting], timeout=WAIT_KNOWN_S)
            self._waiters.pop(waiting, None)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._report()
            except AppError:
                self._full = True
                await asyncio.sleep(RETRY_S)
                continue
            await asyncio.sleep(PAUSE_S)
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
        # Only the present state counts; the changes in between are not reported.
        states = self._in_flight = {user_id: self._is_away(user_id) for user_id in users}
        # Updated before the request, so that `changed` notices changes during it. After a failure the next
        # report is full.
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
            "connections": self._hub.socket_count,
        }
        try:
            self._full = not await self._presence_client.report(body)
        finally:
            self._in_flight = {}
            for future, user_id in self._waiters.items():
                if user_id not in self._changed and not future.done():
                    future.set_result(None)

    def _is_away(self, user_id: int) -> bool | None:
        """Whether the user is away on all their sockets here; None if they have none."""
        member = self._hub.members.get(user_id)
        if member is None:
            return None
        if not member.connections:
            # A socket is opening or closing, which changes nothing yet.
            return self._known.get(user_id, False)
        return all(connection.is_away for connection in member.connections)
