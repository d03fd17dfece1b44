"""Bounds how many requests there are at once, to all hosts together and to each."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How many requests run at once, and how many may wait, for `wait_s` seconds at most."""

    running: int = 64
    per_host: int = 8
    waiting: int = 1_000
    wait_s: float = 1.0
    # Connections that are kept for the next request.
    idle: int = 64


class Busy(Exception):
    """There was no slot in time."""


class _HostSlots:
    def __init__(self, count: int) -> None:
        self.free = asyncio.Semaphore(count)
        # Who has a slot, or waits for one.
        self.users = 0


class Slots:
    """A slot is taken for each request."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._free = asyncio.Semaphore(limits.running)
        self._hosts: dict[str, _HostSlots] = {}
        self._waiting = 0

    @contextlib.asynccontextmanager
    async def taken(self, host: str) -> AsyncIterator[None]:
        """Holds a slot for a request to this host. Raises Busy."""
        if self._waiting >= self._limits.waiting:
            raise Busy
        of_host = self._hosts.setdefault(host, _HostSlots(self._limits.per_host))
        of_host.users += 1
        self._waiting += 1
        async with contextlib.AsyncExitStack() as held:
            held.callback(self._leave, host, of_host)
            try:
                async with asyncio.timeout(self._limits.wait_s):
                    # The host's first: who waits for a busy host holds nothing that others need.
                    await held.enter_async_context(of_host.free)
                    await held.enter_async_context(self._free)
            except TimeoutError:
                raise Busy from None
            finally:
                self._waiting -= 1
            yield

    def _leave(self, host: str, of_host: _HostSlots) -> None:
        of_host.users -= 1
        if not of_host.users:
            del self._hosts[host]
