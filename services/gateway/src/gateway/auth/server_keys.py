"""Verifies the server keys of host applications: chat-api has them, this worker keeps its answers."""

from __future__ import annotations

import asyncio
import logging
from typing import Final, NamedTuple

from gateway.connections.rate_limits import TokenBuckets, take_from_all
from gateway.metrics import SERVER_KEY_CHECKS
from messenger_shared.bus import channels
from messenger_shared.bus.interface import Bus
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import SERVER
from messenger_shared.contract.operations.server import keys as server_keys
from messenger_shared.contract.server_keys import ServerKey, parse_key
from messenger_shared.rpc.client import RpcClient

log = logging.getLogger(__name__)

# For this long a revoked key may be accepted if the message about it was lost.
KEPT_S: Final = 60.0
MAX_KEPT: Final = 1_000
# Wrong keys per second and address, and per second and key id, and ten times as many at once.
WRONG_PER_S: Final = 5
WRONG_BURST_S: Final = 10
_OUTCOMES: Final = {errors.UNAUTHORIZED: "refused", errors.RATE_LIMITED: "limited"}


class Grant(NamedTuple):
    """A valid key: its id, and what it may be used for."""

    key_id: str
    scopes: frozenset[str]


class ServerKeys:
    """Grants by key. A key that was right before is checked again without regard to others' wrong guesses."""

    def __init__(self, rpc: RpcClient, bus: Bus) -> None:
        self._rpc = rpc
        self._bus = bus
        # Key -> grant, and the loop time until which it counts.
        self._kept: dict[ServerKey, tuple[Grant, float]] = {}
        self._asked: dict[ServerKey, asyncio.Task[Grant]] = {}
        self._revocations = 0
        self._guesses = TokenBuckets(WRONG_PER_S, WRONG_BURST_S)

    async def start(self) -> None:
        """Listens for revoked keys."""
        await self._bus.subscribe([channels.SERVER_KEYS], self._on_revoked)

    async def stop(self) -> None:
        """Stops listening, and cancels the questions under way."""
        self._bus.unsubscribe([channels.SERVER_KEYS])
        for task in self._asked.values():
            task.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)

    async def verify(self, text: str, address: str) -> Grant:
        """The grant of a key. Raises AppError: unauthorized, rate_limited, or as RpcClient.ask."""
        key, now = parse_key(text), asyncio.get_running_loop().time()
        grant, until = self._kept.get(key, (None, 0.0)) if key is not None else (None, 0.0)
        if grant is not None and now < until:
            SERVER_KEY_CHECKS.labels("cached").inc()
            return grant
        try:
            answer = await self._look_up(key, address, now, was_right=grant is not None)
        except AppError as error:
            SERVER_KEY_CHECKS.labels(_OUTCOMES.get(error.kind, "failed")).inc()
            raise
        SERVER_KEY_CHECKS.labels("asked").inc()
        return answer

    async def _look_up(self, key: ServerKey | None, address: str, now: float, *, was_right: bool) -> Grant:
        if key is None:
            self._count_guess(now, address)
            raise AppError(errors.UNAUTHORIZED)
        if key not in self._asked:
            if not was_right:
                self._count_guess(now, address, key.id)
            # One question for all requests that come with this key until it is answered.
            task = self._asked[key] = asyncio.create_task(self._ask(key), name="server key")
            task.add_done_callback(lambda _: self._asked.pop(key))
        return await asyncio.shield(self._asked[key])

    async def _ask(self, key: ServerKey) -> Grant:
        revocations = self._revocations
        try:
            answer = await self._rpc.ask(
                server_keys.VERIFY.service,
                server_keys.VERIFY.name,
                {"key_id": key.id, "digest": key.digest},
                key=key.id,
                user_id=SERVER,
            )
        except AppError as error:
            if error.kind is errors.UNAUTHORIZED:
                self._kept.pop(key, None)
                log.warning("a wrong or revoked server key was used, with the id %s", key.id)
            raise
        grant = Grant(key.id, frozenset(answer["scopes"]))
        # The answer may be from before a revocation that came meanwhile.
        if self._revocations == revocations:
            self._keep(key, grant)
        return grant

    def _keep(self, key: ServerKey, grant: Grant) -> None:
        self._kept.pop(key, None)
        if len(self._kept) >= MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = grant, asyncio.get_running_loop().time() + KEPT_S

    def _count_guess(self, now: float, *of: str) -> None:
        """Counts a key that may be a guess. Raises AppError(rate_limited) when there were too many."""
        if wait_ms := take_from_all([self._guesses.of(name, now) for name in of], now):
            raise AppError(errors.RATE_LIMITED, retry_after_ms=wait_ms)

    def _on_revoked(self, payload: bytes) -> None:
        key_id = payload.decode(errors="replace")
        self._revocations += 1
        self._kept = {key: kept for key, kept in self._kept.items() if key.id != key_id}
