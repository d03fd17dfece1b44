"""Owns taking a user's tokens back: what of it is kept in Redis, and the message that closes his sockets."""

from __future__ import annotations

import math
import time
from typing import Any, Final

import orjson
from redis.asyncio import Redis

from messenger_shared import keys
from messenger_shared.events import Between, Event, pack
from messenger_shared.redis_steps import step

# What two machines' clocks may differ by.
SKEW_S: Final = 10.0


async def keep(redis: Redis, user_id: int, moment: float) -> None:
    """What was issued to the user up to `moment` counts no more; raises AppError(unavailable)."""
    await step(redis.zadd(keys.REVOKED, {str(user_id): moment}, gt=True))


async def kept(redis: Redis, since: float) -> dict[int, float]:
    """User -> moment, of what was kept `since` then; raises AppError(unavailable)."""
    rows: Any = await step(redis.zrange(keys.REVOKED, since, math.inf, byscore=True, withscores=True))
    return {int(user): moment for user, moment in rows}


async def forget(redis: Redis, before: float) -> None:
    """Nothing that was issued until then lives any more; raises AppError(unavailable)."""
    await step(redis.zremrangebyscore(keys.REVOKED, -math.inf, before))


def message(user_id: int, moment: float) -> bytes:
    """What goes to the user's channel."""
    return pack([Event(Between.SESSIONS_REVOKED, "", 0, user_id, orjson.dumps(moment))])


def moment_of(event: Event) -> float:
    """The moment in such a message; raises ValueError for one that can't be."""
    moment = orjson.loads(event.frame)
    if not isinstance(moment, int | float) or not 0 < moment <= time.time() + SKEW_S:
        raise ValueError("no moment of the past")
    return float(moment)
