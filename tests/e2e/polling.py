"""Owns waiting for what has to be asked for: again and again until the answer fits, with a deadline."""

import asyncio
from collections.abc import Awaitable, Callable

POLL_S = 0.05


async def eventually(asked: Callable[[], Awaitable[object]], timeout_s: float = 5.0) -> None:
    """Returns when `asked` answers yes; fails when it doesn't in time."""
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                if await asked():
                    return
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise AssertionError(f"not within {timeout_s} s") from None
