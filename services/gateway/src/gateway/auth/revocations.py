"""Knows which tokens were revoked, per user up to a moment of issue, and closes their sockets."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Mapping
from typing import Final

from redis.asyncio import Redis

from gateway.connections.hub import Hub
from messenger_shared.bus import channels, revocations
from messenger_shared.bus.interface import Bus
from messenger_shared.contract import timestamps
from messenger_shared.contract.close_codes import Close
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.events import Event
from messenger_shared.contract.tokens import Identity

log = logging.getLogger(__name__)

# For this long a gateway may accept a revoked token if the message didn't reach it: the user had no socket
# there, or the message was lost.
POLL_S: Final = 1.0
# Every 60th poll reads all revocations. The others read the newest, and miss one that was written by a
# machine whose clock is behind.
POLLS_PER_FULL_READ: Final = 60
POLLS_PER_PRUNING: Final = 3_600
# As long as the bus waits for Redis.
START_TIMEOUT_S: Final = 10.0
START_RETRY_S: Final = 0.2


class Revocations:
    """Every gateway knows all revocations within a second, so checking a token needs no request."""

    def __init__(
        self,
        redis: Redis,
        bus: Bus,
        hub: Hub,
        max_lifetime_s: int,
        on_revoked: Callable[[int], None] = lambda user_id: None,
    ) -> None:
        self._redis = redis
        self._bus = bus
        self._hub = hub
        self._max_lifetime_s = max_lifetime_s
        self._on_revoked = on_revoked
        self._moments: dict[int, float] = {}
        # User id -> moment as Redis has it, for moments from a clock that ran ahead.
        self._future_moments: dict[int, float] = {}
        self._newest = 0.0
        self._task: asyncio.Task[None] | None = None

    def is_revoked(self, identity: Identity) -> bool:
        """Whether this token was revoked. A token without a time of issue is older than any revocation."""
        return identity.issued_at <= self._moments.get(identity.user_id, -1.0)

    async def revoke(self, user_id: int) -> float:
        """Revokes the user's tokens up to now; returns that Unix time. Raises AppError(unavailable)."""
        # Not `time.time`: after the clock was set back, it would spare tokens that were issued before that.
        moment = timestamps.latest()
        await revocations.save(self._redis, user_id, moment)
        self._bus.publish(channels.user(user_id), revocations.message(user_id, moment))
        self._apply({user_id: moment})
        return moment

    def handle_event(self, event: Event) -> None:
        """Notes a revocation by a gateway or an operator, from the user's channel. Raises ValueError."""
        self._apply({event.user_id: revocations.moment_of(event)})

    async def start(self) -> None:
        """Returns when all earlier revocations are known; raises AppError(unavailable).

        It retries for START_TIMEOUT_S: a worker that gave up at once would restart its container because of
        one lost DNS query.
        """
        give_up_at = asyncio.get_running_loop().time() + START_TIMEOUT_S
        while not await self._try_read(give_up_at):  # noqa: ASYNC110  (Redis sends no event)
            await asyncio.sleep(START_RETRY_S)
        self._task = asyncio.create_task(self._poll(), name="revocations")

    async def stop(self) -> None:
        """Stops polling."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _try_read(self, give_up_at: float) -> bool:
        try:
            await self._read()
        except AppError as error:
            if asyncio.get_running_loop().time() >= give_up_at:
                raise
            log.warning("cannot read revocations yet: %s", error)
            return False
        return True

    async def _poll(self) -> None:
        polls = 0
        while True:
            await asyncio.sleep(POLL_S)
            polls += 1
            try:
                await self._read(is_full_read=polls % POLLS_PER_FULL_READ == 0)
                if polls % POLLS_PER_PRUNING == 0 and self._max_lifetime_s:
                    await self._prune(timestamps.latest() - self._max_lifetime_s)
            except AppError as error:
                log.warning("cannot read revocations: %s", error)

    async def _read(self, *, is_full_read: bool = False) -> None:
        """Reads from SKEW_S before the newest known one: the writer's clock may be a little behind."""
        latest = timestamps.latest() + revocations.SKEW_S
        self._cap_moments(latest)
        since = -math.inf if is_full_read else self._newest - revocations.SKEW_S
        found = await revocations.load(self._redis, since)
        self._apply(
            {user_id: self._moment_to_apply(user_id, moment, latest) for user_id, moment in found.items()}
        )

    def _moment_to_apply(self, user_id: int, moment: float, latest: float) -> float:
        """The moment to apply. A future one, which would lock the user out, counts once, as `latest`."""
        if moment <= latest:
            return moment
        if self._future_moments.get(user_id) == moment:
            return 0.0  # It was applied when it was found.
        self._future_moments[user_id] = moment
        return latest

    def _cap_moments(self, latest: float) -> None:
        """Caps what is known at `latest`: our own clock may have been ahead, and be right again."""
        if self._newest > latest:
            self._newest = latest
            self._moments = {user_id: min(moment, latest) for user_id, moment in self._moments.items()}

    def _apply(self, found: Mapping[int, float]) -> None:
        for user_id, moment in found.items():
            if moment > self._moments.get(user_id, 0.0):
                self._moments[user_id] = moment
                self._newest = max(self._newest, moment)
                self._on_revoked(user_id)
                self._close_revoked_sockets(user_id)

    def _close_revoked_sockets(self, user_id: int) -> None:
        member = self._hub.members.get(user_id)
        for connection in list(member.connections) if member is not None else ():
            if self.is_revoked(connection.identity):
                connection.close(Close.SESSION_REVOKED)

    async def _prune(self, before: float) -> None:
        self._moments = {user: moment for user, moment in self._moments.items() if moment > before}
        await revocations.delete(self._redis, before)
