"""Issues one-time tickets to users with a token, and redeems them: each opens one socket at any gateway."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from typing import Any, Final

import orjson
from redis.asyncio import Redis

from gateway.connections.rate_limits import TokenBuckets
from messenger_shared.bus import keys
from messenger_shared.bus.redis_client import step
from messenger_shared.contract import errors, timestamps
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.operations.operation import Body
from messenger_shared.contract.operations.session import GIVE_TICKET
from messenger_shared.contract.tokens import Identity, InvalidToken

LIFETIME_S: Final = 30
SECRET_BYTES: Final = 32


class Tickets:
    """Stores only the hash of each ticket, so that reading Redis is not enough to open a socket."""

    def __init__(self, redis: Redis, rate_limits: TokenBuckets) -> None:
        self._redis = redis
        self._rate_limits = rate_limits
        self.handlers = {GIVE_TICKET.name: self.issue}

    async def issue(self, identity: Identity, body: Body) -> dict[str, Any]:
        """A new ticket for the user; its socket lasts as long as the user's token. Raises AppError."""
        now = asyncio.get_running_loop().time()
        if wait_ms := self._rate_limits.of(identity.user_id, now).take(now):
            raise AppError(errors.RATE_LIMITED, retry_after_ms=wait_ms)
        ticket = secrets.token_urlsafe(SECRET_BYTES)
        await step(self._redis.set(_key(ticket), orjson.dumps(tuple(identity)), ex=LIFETIME_S))
        expires_at = min(time.time() + LIFETIME_S, identity.expires_at)
        return {"ticket": ticket, "expires_at": timestamps.from_unix(expires_at)}

    async def redeem(self, ticket: str) -> Identity:
        """Uses up the ticket; returns its identity. Raises InvalidToken, or AppError if Redis is away."""
        stored = await step(self._redis.getdel(_key(ticket)))
        if stored is None:
            raise InvalidToken("no such ticket")
        identity = Identity(*orjson.loads(stored))
        if identity.expires_at <= time.time():
            raise InvalidToken("the ticket's token has ended")
        return identity


def _key(ticket: str) -> str:
    return keys.ticket(hashlib.sha256(ticket.encode()).hexdigest())
