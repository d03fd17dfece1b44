"""Makes connections for requests to the outside, and bounds what a server may send on one."""

from __future__ import annotations

import asyncio
import functools
import ssl
from typing import Any, Final
from weakref import WeakSet

import aiohttp
from aiohttp.client_proto import ResponseHandler

from chat_api.outgoing.resolver import GuardedResolver
from chat_api.outgoing.slots import Limits

# In one answer, everything counted: headers, interim answers, and what is read of the body at once.
MAX_BYTES: Final = 512 * 1024
# Shorter than servers keep connections (5 s and more), so that requests seldom meet one that is just closing.
KEEP_ALIVE_S: Final = 4.0


class TooMuch(aiohttp.ClientError):
    """The server sent more than an answer may have."""


class _OpenConnections:
    """The connections of one pool."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.handlers: WeakSet[_Handler] = WeakSet()

    @property
    def are_too_many(self) -> bool:
        """Whether there are too many to keep one for the next request."""
        return sum(handler.is_connected() for handler in self.handlers) > self._most


class _Handler(ResponseHandler):
    """The protocol of one connection. aiohttp bounds headers; this bounds all of an answer's bytes."""

    def __init__(self, loop: asyncio.AbstractEventLoop, open_: _OpenConnections) -> None:
        super().__init__(loop)
        self._received = 0
        self._open = open_
        open_.handlers.add(self)

    @property
    def should_close(self) -> bool:
        """Whether no other request may use the connection."""
        return super().should_close or self._open.are_too_many

    def set_response_params(self, **params: Any) -> None:
        """Begins a new answer."""
        self._received = 0
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        """Ends the connection if a server goes on and on, for example with interim answers."""
        self._received += len(data)
        if self._received <= MAX_BYTES:
            super().data_received(data)
        elif self.transport is not None:
            self.set_exception(TooMuch())
            self.transport.abort()


class Connector(aiohttp.TCPConnector):
    """aiohttp's pool of connections, with handlers that are bounded and counted."""

    def __init__(self, resolver: GuardedResolver, context: ssl.SSLContext, limits: Limits) -> None:
        super().__init__(
            resolver=resolver,
            # Each connection is checked, so that there is nothing to keep.
            use_dns_cache=False,
            ssl=context,
            limit=limits.running,
            limit_per_host=limits.per_host,
            keepalive_timeout=KEEP_ALIVE_S,
        )
        loop, open_ = asyncio.get_running_loop(), _OpenConnections(limits.running + limits.idle)
        # aiohttp has no other way to bound the bytes of an answer, and the connections that it keeps.
        self._factory = functools.partial(_Handler, loop, open_)  # type: ignore[assignment]


def ssl_context(ca_file: str | None) -> ssl.SSLContext:
    """Trusts the system's certificate authorities and those in the file. Raises OSError, ssl.SSLError."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context
