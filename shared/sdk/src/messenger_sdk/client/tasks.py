"""Runs coroutines side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def cancel(*tasks: asyncio.Task[Any]) -> None:
    """Cancels the tasks and waits until they have ended, however they end."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def first_of(*coroutines: Coroutine[Any, Any, T]) -> T:
    """Runs all until one ends, and cancels the others. Returns or raises what that one does."""
    tasks = [asyncio.create_task(each) for each in coroutines]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(task for task in tasks if task.done()).result()
    finally:
        await cancel(*tasks)


async def within(timeout_s: float, awaitable: Awaitable[T]) -> T:
    """Returns the result. Raises asyncio.TimeoutError after `timeout_s` seconds, and cancels the awaitable.

    Before Python 3.12, `asyncio.wait_for` swallows a cancellation that arrives together with the result.
    """
    future = asyncio.ensure_future(awaitable)
    try:
        await asyncio.wait([future], timeout=timeout_s)
        if not future.done():
            raise asyncio.TimeoutError
        return future.result()
    finally:
        if not future.done():
            future.cancel()
            await asyncio.wait([future])
