"""Owns taking a user's tokens back from the command line, straight over Redis."""

import time

from messenger_local.failure import StackError
from messenger_shared import channels, revocations
from messenger_shared.errors import AppError
from messenger_shared.redis_steps import client, step


async def disconnect(redis_url: str, user_id: int) -> tuple[float, int]:
    """The moment up to which they count no more, and how many gateway workers had a socket of the user."""
    redis, moment = client(redis_url), time.time()
    try:
        await revocations.keep(redis, user_id, moment)
        message = revocations.message(user_id, moment)
        return moment, await step(redis.publish(channels.user(user_id), message))
    except AppError:
        raise StackError("Redis doesn't answer") from None
    finally:
        await redis.aclose()
