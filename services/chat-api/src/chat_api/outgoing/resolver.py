"""Looks host names up, and refuses names with an address that requests may not go to.

A connection is made to the addresses that were checked here, and to no others. So it doesn't help to answer
the next look-up otherwise (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult

from chat_api.outgoing.addresses import AddressRule

# Name servers that don't answer hold a thread. These are no one else's.
THREADS: Final = 16
MAX_ADDRESSES: Final = 8
_NUMERIC: Final = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class RefusedAddress(OSError):
    """The name has an address that requests may not go to."""


class GuardedResolver(AbstractResolver):
    """Resolves by the system's resolver; `rule` decides about the addresses."""

    def __init__(self, rule: AddressRule, threads: ThreadPoolExecutor) -> None:
        self._rule = rule
        self._threads = threads

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of the name. Raises OSError, and RefusedAddress if one of them is refused."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, look_up, host, port, family)
        if not all(self._rule.admits(host, address) for _, address in found):
            raise RefusedAddress(host)
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=kind, proto=socket.IPPROTO_TCP, flags=_NUMERIC
            )
            for kind, address in found[:MAX_ADDRESSES]
        ]

    async def close(self) -> None:
        """Does nothing: the threads belong to whoever made them."""


def look_up(host: str, port: int, family: int) -> list[tuple[socket.AddressFamily, str]]:
    """The families and addresses of a name, as the system resolves it. Raises OSError."""
    try:
        answers = socket.getaddrinfo(
            host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
        )
    except UnicodeError:
        raise OSError("no host name") from None
    return [(kind, str(address[0])) for kind, _, _, _, address in answers]
