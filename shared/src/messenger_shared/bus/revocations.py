"""Stores revocations of users' tokens in Redis, and encodes the message that closes their sockets."""

from __future__ import annotations

import math
from typing import Any, Final

import orjson
from redis.asyncio import Redis

from messenger_shared.bus import keys
from messenger_shared.bus.redis_client import step
from messenger_shared.contract import timestamps
from messenger_shared.contract.events import Event, InternalEvent, pack

# The largest expected difference between two machines' clocks.
SKEW_S: Final = 10.0


async def save(redis: Redis, user_id: int, moment: float) -> None:
    """Revokes the user's tokens issued up to `moment` (Unix time). Raises AppError(unavailable)."""
    await step(redis.zadd(keys.REVOKED, {str(user_id): moment}, gt=True))


async def load(redis: Redis, since: float) -> dict[int, float]:
    """Revocations with a moment from `since` on: user id -> Unix time. Raises AppError(unavailable)."""
    rows: Any = await step(redis.zrange(keys.REVOKED, since, math.inf, byscore=True, withscores=True))
    return {int(user): moment for user, moment in rows}


async def delete(redis: Redis, before: float) -> None:
    """Deletes revocations up to `before`: all tokens from then have expired. Raises AppError(unavailable)."""
    await step(redis.zremrangebyscore(keys.REVOKED, -math.inf, before))


def message(user_id: int, moment: float) -> bytes:
    """The bus message for the user's channel."""
    return pack([Event(InternalEvent.SESSIONS_REVOKED, "", 0, user_id, orjson.dumps(moment))])


def moment_of(event: Event) -> float:
    """The moment in such a message; raises ValueError unless it is a plausible time, not in the future."""
    moment = orjson.loads(event.frame)
    if not isinstance(moment, int | float) or not 0 < moment <= timestamps.latest() + SKEW_S:
        raise ValueError("no moment of the past")
    return float(moment)
