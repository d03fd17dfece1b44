"""Waits in tests until something holds, with a deadline."""

import asyncio
from collections.abc import Awaitable, Callable

POLL_S = 0.01
# Whatever has to come comes by then, however busy the machine is; only a failing test waits so long. Gateways
# compare everything every 30 s, so a longer wait would hide that something was lost.
LIMIT_S = 20.0


async def until(condition: Callable[[], object], timeout_s: float = LIMIT_S) -> None:
    """Returns when `condition` holds; fails when it doesn't in time."""
    try:
        async with asyncio.timeout(timeout_s):
            while not condition():  # noqa: ASYNC110  (no event announces the condition)
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise AssertionError(f"not within {timeout_s} s") from None


async def eventually(asked: Callable[[], Awaitable[object]], timeout_s: float = LIMIT_S) -> None:
    """Returns when `asked` returns a true value; fails when it doesn't in time."""
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                if await asked():
                    return
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise AssertionError(f"not within {timeout_s} s") from None
