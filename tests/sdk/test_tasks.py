"""How the SDK's client waits for coroutines."""

from __future__ import annotations

import asyncio

import pytest

from messenger_sdk.client.tasks import within


async def test_a_cancellation_that_comes_with_the_result_is_not_swallowed() -> None:
    """Otherwise a client that is closed at that moment goes on."""
    result = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(within(60, result))
    await asyncio.sleep(0)
    result.set_result("just now")
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_what_takes_too_long_is_cancelled() -> None:
    never = asyncio.create_task(asyncio.Event().wait())
    with pytest.raises(asyncio.TimeoutError):
        await within(0, never)
    assert never.cancelled()
