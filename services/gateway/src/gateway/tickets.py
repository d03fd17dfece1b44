"""Owns one-time tickets for sockets: given to who has a token, good for one socket at any gateway."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from typing import Any, Final

import orjson
from redis.asyncio import Redis

from gateway.limits import Allowances
from messenger_shared import clock, errors, keys
from messenger_shared.errors import AppError
from messenger_shared.operations.operation import Body
from messenger_shared.operations.tickets import GIVE
from messenger_shared.redis_steps import step
from messenger_shared.tokens import Identity, InvalidToken

LIFETIME_S: Final = 30
SECRET_BYTES: Final = 32


class Tickets:
    """Keeps of each ticket only its hash, so that who can read Redis comes in by none."""

    def __init__(self, redis: Redis, allowances: Allowances) -> None:
        self._redis = redis
        self._allowances = allowances
        self.handlers = {GIVE.name: self.give}

    async def give(self, identity: Identity, body: Body) -> dict[str, Any]:
        """A fresh ticket of whoever asks; the socket that it opens lasts as long as his token."""
        now = asyncio.get_running_loop().time()
        if wait_ms := self._allowances.of(identity.user_id, now).take(now):
            raise AppError(errors.RATE_LIMITED, retry_after_ms=wait_ms)
        ticket = secrets.token_urlsafe(SECRET_BYTES)
        await step(self._redis.set(_key(ticket), orjson.dumps(tuple(identity)), ex=LIFETIME_S))
        expires_at = min(time.time() + LIFETIME_S, identity.expires_at)
        return {"ticket": ticket, "expires_at": clock.from_unix(expires_at)}

    async def redeem(self, ticket: str) -> Identity:
        """Whose it is, once; raises InvalidToken, and AppError(unavailable) without Redis."""
        kept = await step(self._redis.getdel(_key(ticket)))
        if kept is None:
            raise InvalidToken("no such ticket")
        identity = Identity(*orjson.loads(kept))
        if identity.expires_at <= time.time():
            raise InvalidToken("the ticket's token has ended")
        return identity


def _key(ticket: str) -> str:
    return keys.ticket(hashlib.sha256(ticket.encode()).hexdigest())
