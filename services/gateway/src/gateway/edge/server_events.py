"""Answers a host application that reads events, and waits for it until there are some."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final

from gateway.edge.server import ServerHandler
from gateway.sockets.commands import ask
from messenger_shared.bus import channels
from messenger_shared.bus.interface import Bus
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import SERVER
from messenger_shared.contract.operations.operation import KEY_FIELD, Body
from messenger_shared.contract.operations.server import webhooks
from messenger_shared.rpc.client import RpcClient

# Requests that wait at once.
MAX_WAITING: Final = 200
RETRY_AFTER_MS: Final = 2_000
# Events come in bursts: who was woken reads a little later, once for several.
GATHER_S: Final = 0.1


class ServerEvents:
    """Reads events at chat-api. Whoever waits costs nothing until the feed tells that there are more."""

    def __init__(self, rpc: RpcClient, bus: Bus, max_waiting: int = MAX_WAITING) -> None:
        self._rpc = rpc
        self._bus = bus
        self._max_waiting = max_waiting
        self._waiting = 0
        self._is_leaving = False
        # Replaced each time that it is set.
        self._news = asyncio.Event()
        self.handlers: dict[str, ServerHandler] = {webhooks.EVENTS.name: self.read}

    async def start(self) -> None:
        """Subscribes. If Redis is away, the bus does so when it is back."""
        self._bus.on_gap(self._wake)
        with contextlib.suppress(AppError):
            await self._bus.subscribe([channels.EVENTS], lambda _: self._wake())

    async def stop(self) -> None:
        """Unsubscribes."""
        self._bus.unsubscribe([channels.EVENTS])

    async def release(self) -> None:
        """Answers all requests that wait, since this process ends."""
        self._is_leaving = True
        self._wake()

    async def read(self, body: Body) -> Any:
        """The events after the cursor. If there are none, it asks again when there are, or at the end."""
        loop = asyncio.get_running_loop()
        until = loop.time() + body["wait_s"]
        fields = {"cursor": body["cursor"], "limit": body["limit"], KEY_FIELD: body[KEY_FIELD]}
        while True:
            news = self._news
            page = await ask(self._rpc, webhooks.READ_EVENTS, fields, SERVER)
            # Recorded once, whatever it takes.
            fields.pop(KEY_FIELD, None)
            fields["cursor"] = page["next_cursor"]
            if page["items"] or self._is_leaving or loop.time() >= until:
                return page
            if not page["has_more"]:
                await self._wait(news, until)

    async def _wait(self, news: asyncio.Event, until: float) -> None:
        """Waits for `news`. Raises AppError(overloaded) if there are too many who wait.

        An empty page would have hosts ask again at once.
        """
        if self._waiting >= self._max_waiting:
            raise AppError(errors.OVERLOADED, retry_after_ms=RETRY_AFTER_MS)
        self._waiting += 1
        try:
            async with asyncio.timeout_at(until):
                await news.wait()
                await asyncio.sleep(GATHER_S)
        except TimeoutError:
            pass
        finally:
            self._waiting -= 1

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
