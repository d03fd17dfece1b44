"""Makes redis-py clients for everything besides Pub/Sub, with a deadline for each command."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError

T = TypeVar("T")

POOL_SIZE: Final = 4
CONNECT_TIMEOUT_S: Final = 1.0
STEP_TIMEOUT_S: Final = 2.0
RETRY_AFTER_MS: Final = 500


def client(url: str) -> Redis:
    """A client with few connections and short deadlines: waiters must not pile up when Redis is frozen."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=POOL_SIZE,
        timeout=CONNECT_TIMEOUT_S,
        # `step` sets the deadline. With a socket timeout redis-py uses wait_for, which before Python 3.12
        # swallows a cancellation that arrives together with the answer: a cancelled task would go on.
        socket_timeout=None,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        # One retry, for a connection that broke while it was idle.
        retry=Retry(NoBackoff(), 1),
    )
    return Redis.from_pool(pool)


async def step(work: Awaitable[T]) -> T:
    """Awaits one Redis command. Raises AppError(unavailable) when it fails or takes over STEP_TIMEOUT_S."""
    try:
        async with asyncio.timeout(STEP_TIMEOUT_S):
            return await work
    except (RedisError, OSError, TimeoutError) as error:
        raise AppError(errors.UNAVAILABLE, retry_after_ms=RETRY_AFTER_MS) from error
