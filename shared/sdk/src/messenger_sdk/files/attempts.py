"""Repeats attempts to move bytes, as long as they move now and then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import aiohttp
from yarl import URL

from messenger_sdk.back_off import BackOff
from messenger_sdk.errors import MessengerError, from_response, unreachable

CHUNK_BYTES = 64 * 1024
# An attempt has as long as it needs while bytes move.
TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=60)
# In a row, and none of them moved anything.
ATTEMPTS_MAX = 8
_FIRST_ERROR_STATUS = 400


async def persist(attempt: Callable[[], Awaitable[None]], moved: Callable[[], int]) -> None:
    """Attempts until it works. `moved` returns how far it has come. Raises MessengerError."""
    back_off = BackOff()
    failures, before = 0, moved()
    while True:
        try:
            return await attempt()
        except MessengerError as error:
            if moved() != before:
                back_off.reset()
                failures, before = 0, moved()
            failures += 1
            if not error.retryable or failures >= ATTEMPTS_MAX:
                raise
            wait_s = back_off.next(error.retry_after_s)
        await asyncio.sleep(wait_s)


@asynccontextmanager
async def requesting(
    session: aiohttp.ClientSession,
    method: str,
    url: URL,
    headers: Mapping[str, str],
    data: AsyncIterator[bytes] | None = None,
) -> AsyncIterator[aiohttp.ClientResponse]:
    """Yields the response to a request that may take long; a redirect is one. Raises MessengerError."""
    try:
        async with session.request(
            method, url, headers=headers, data=data, allow_redirects=False, timeout=TIMEOUT
        ) as response:
            if response.status >= _FIRST_ERROR_STATUS:
                raise from_response(response.status, response.headers, await response.read())
            yield response
    except (aiohttp.ClientError, asyncio.TimeoutError) as error:
        raise unreachable(error) from error
