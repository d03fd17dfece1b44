"""Owns asking Redis for what is no message: few connections, and a deadline for each step."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from messenger_shared import errors
from messenger_shared.errors import AppError

T = TypeVar("T")

POOL_SIZE: Final = 4
CONNECT_TIMEOUT_S: Final = 1.0
STEP_TIMEOUT_S: Final = 2.0
RETRY_AFTER_MS: Final = 500


def client(url: str) -> Redis:
    """Few connections and short deadlines: a frozen Redis must not gather waiting requests."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=POOL_SIZE,
        timeout=CONNECT_TIMEOUT_S,
        # Ours bounds each step. With one of its own, redis-py waits by wait_for, which before Python 3.12
        # swallows a cancellation that comes with the answer: a loop that is to end would go on.
        socket_timeout=None,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        # Once, for a connection that died while it was idle.
        retry=Retry(NoBackoff(), 1),
    )
    return Redis.from_pool(pool)


async def step(work: Awaitable[T]) -> T:
    """What Redis answers; raises AppError(unavailable) when it doesn't in time."""
    try:
        async with asyncio.timeout(STEP_TIMEOUT_S):
            return await work
    except (RedisError, OSError, TimeoutError) as error:
        raise AppError(errors.UNAVAILABLE, retry_after_ms=RETRY_AFTER_MS) from error
