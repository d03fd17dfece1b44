"""Runs calls of a `Server` to their end, for programs without asyncio.

Each call has an event loop and connections of its own. So any number of threads may call, and nothing is
shared with a forked process.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from messenger_sdk.rest import TIMEOUT_S
from messenger_sdk.server import Server

T = TypeVar("T")
_END = object()


class BlockingCalls:
    """The base of `BlockingServer`. Raises RuntimeError where an event loop runs: use `Server` there."""

    def __init__(self, url: str, key: str, timeout_s: float = TIMEOUT_S) -> None:
        self._settings = (url, key, timeout_s)
        # A bad address is an error now, not at the first call.
        self._server()

    def _server(self) -> Server:
        return Server(*self._settings)

    def _run(self, call: Callable[[Server], Coroutine[Any, Any, T]]) -> T:
        """Returns what the call returns, or raises what it raises."""
        with _own_loop() as loop:
            return loop.run_until_complete(_close_after(self._server(), call))

    def _iterate(self, call: Callable[[Server], AsyncIterator[T]]) -> Iterator[T]:
        """Yields what the call yields."""
        with _own_loop() as loop:
            server = self._server()
            items = call(server)
            try:
                while (item := loop.run_until_complete(_next(items))) is not _END:
                    yield item  # type: ignore[misc]
            finally:
                loop.run_until_complete(server.close())


@contextmanager
def _own_loop() -> Iterator[asyncio.AbstractEventLoop]:
    _refuse_running_loop()
    loop = asyncio.new_event_loop()
    try:
        yield loop
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def _refuse_running_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError("an event loop runs here: use Server instead of BlockingServer")


async def _close_after(server: Server, call: Callable[[Server], Coroutine[Any, Any, T]]) -> T:
    async with server:
        return await call(server)


async def _next(items: AsyncIterator[T]) -> T | object:
    return await anext(items, _END)
