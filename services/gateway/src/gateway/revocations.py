"""Owns which tokens were taken back: whose, and up to which moment of issue; their sockets are closed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Final

from redis.asyncio import Redis

from gateway.hub import Hub
from messenger_shared import channels, revocations
from messenger_shared.bus import Bus
from messenger_shared.closes import Close
from messenger_shared.errors import AppError
from messenger_shared.events import Event
from messenger_shared.tokens import Identity

log = logging.getLogger(__name__)

# So long one may come in at a gateway that the message didn't reach: where he had no socket, or it was lost.
POLL_S: Final = 1.0
POLLS_BETWEEN_PRUNINGS: Final = 3_600


class Revocations:
    """Known to every gateway within a second, so that nothing has to be asked when a token is checked."""

    def __init__(self, redis: Redis, bus: Bus, hub: Hub, max_lifetime_s: int) -> None:
        self._redis = redis
        self._bus = bus
        self._hub = hub
        self._max_lifetime_s = max_lifetime_s
        self._moments: dict[int, float] = {}
        self._newest = 0.0
        self._task: asyncio.Task[None] | None = None

    def covers(self, identity: Identity) -> bool:
        """Whether this token was taken back; one that doesn't say when it was issued is always older."""
        return identity.issued_at <= self._moments.get(identity.user_id, -1.0)

    async def revoke(self, user_id: int) -> float:
        """Takes back all that was issued to the user until now. Raises AppError(unavailable)."""
        moment = time.time()
        await revocations.keep(self._redis, user_id, moment)
        self._bus.publish(channels.user(user_id), revocations.message(user_id, moment))
        self._note({user_id: moment})
        return moment

    def hear(self, event: Event) -> None:
        """Some gateway, or an operator, has taken back a user's tokens."""
        self._note({event.user_id: revocations.moment_of(event)})

    async def start(self) -> None:
        """Returns when it is known what was taken back before."""
        await self._read()
        self._task = asyncio.create_task(self._follow(), name="revocations")

    async def stop(self) -> None:
        """Reads no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _follow(self) -> None:
        polls = 0
        while True:
            await asyncio.sleep(POLL_S)
            polls += 1
            try:
                await self._read()
                if polls % POLLS_BETWEEN_PRUNINGS == 0 and self._max_lifetime_s:
                    await self._prune(time.time() - self._max_lifetime_s)
            except AppError as error:
                log.warning("revocations can't be read: %s", error)

    async def _read(self) -> None:
        """Those since the newest that is known; who keeps them may have a clock that is a little behind."""
        self._note(await revocations.kept(self._redis, self._newest - revocations.SKEW_S))

    def _note(self, found: Mapping[int, float]) -> None:
        for user_id, moment in found.items():
            if moment > self._moments.get(user_id, 0.0):
                self._moments[user_id] = moment
                self._newest = max(self._newest, moment)
                self._close(user_id)

    def _close(self, user_id: int) -> None:
        member = self._hub.members.get(user_id)
        for connection in list(member.connections) if member is not None else ():
            if self.covers(connection.identity):
                connection.close(Close.SESSION_REVOKED)

    async def _prune(self, before: float) -> None:
        self._moments = {user: moment for user, moment in self._moments.items() if moment > before}
        await revocations.forget(self._redis, before)
