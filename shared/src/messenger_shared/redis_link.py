"""Owns one Redis connection: packs commands, reads replies, and gathers a turn's commands into one write.

hiredis is used directly because this is the hot path: redis-py costs 26 µs a pipelined command, this about 1.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

import hiredis
from redis.asyncio.connection import parse_url

Reply = Callable[[Any], None]

CONNECT_TIMEOUT_S: Final = 2.0
MAX_BUFFERED_BYTES: Final = 16 * 1024 * 1024
MAX_PENDING: Final = 100_000
# What is as large as this is worth a write of its own, so that its reader can begin.
LARGE_BYTES: Final = 3_000
_PUSHES: Final = frozenset((b"message", b"subscribe", b"unsubscribe"))


class LinkLost(Exception):
    """The connection ended, or Redis refused what a connection needs."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a Redis is and who we are there."""

    host: str
    port: int
    username: str | None
    password: str | None
    tls: bool
    # A file with the authorities that count besides the system's own; None if those alone do.
    authorities: str | None = None

    @classmethod
    def parse(cls, url: str) -> Address:
        """The address in a redis:// or rediss:// URL; raises ValueError."""
        parts: dict[str, Any] = dict(parse_url(url))
        return cls(
            host=parts.get("host", "localhost"),
            port=parts.get("port", 6379),
            username=parts.get("username"),
            password=parts.get("password"),
            tls=url.startswith("rediss://"),
            authorities=parts.get("ssl_ca_certs"),
        )

    def ssl_context(self) -> ssl.SSLContext | None:
        """What checks the server's certificate and name; None without TLS."""
        if not self.tls:
            return None
        context = ssl.create_default_context()
        if self.authorities is not None:
            context.load_verify_locations(self.authorities)
        return context


class RedisLink(asyncio.Protocol):
    """One open connection. `on_push` gets what the subscriptions bring, `on_lost` its end, once."""

    def __init__(self, on_push: Callable[[list[Any]], None], on_lost: Callable[[], None]) -> None:
        self._on_push = on_push
        self._on_lost = on_lost
        self._reader = hiredis.Reader()
        self._replies: deque[Reply] = deque()
        self._outbox: list[bytes] = []
        self._transport: asyncio.WriteTransport | None = None
        self._loop = asyncio.get_running_loop()

    @property
    def full(self) -> bool:
        """Whether one more command has to be refused: Redis takes no more, or answers no more."""
        return (
            self._transport is None
            or len(self._replies) >= MAX_PENDING
            or self._transport.get_write_buffer_size() >= MAX_BUFFERED_BYTES
        )

    def send(self, *command: bytes | str) -> None:
        """Sends a command that is answered by pushes alone: SUBSCRIBE, UNSUBSCRIBE."""
        if not self._outbox:
            self._loop.call_soon(self.flush)
        packed = hiredis.pack_command(command)  # type: ignore[arg-type]
        self._outbox.append(packed)
        if len(packed) >= LARGE_BYTES:
            self.flush()

    def ask(self, command: tuple[bytes | str, ...], reply: Reply) -> None:
        """Sends a command; `reply` gets the answer, or LinkLost when the connection ends before it."""
        self._replies.append(reply)
        self.send(*command)

    async def request(self, *command: bytes | str) -> Any:
        """One command and its answer; raises LinkLost or Redis's refusal as one."""
        answer: asyncio.Future[Any] = self._loop.create_future()
        self.ask(command, lambda value: _settle(answer, value))
        value = await answer
        if isinstance(value, Exception):
            raise LinkLost(str(value))
        return value

    def flush(self) -> None:
        """Writes everything that was gathered."""
        if self._outbox and self._transport is not None:
            self._transport.write(b"".join(self._outbox))
        self._outbox.clear()

    def close(self) -> None:
        """Ends the connection at once; `on_lost` follows."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not asyncio's classes, whatever they can do.
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not False:
                if type(reply) is list and reply and reply[0] in _PUSHES:
                    self._on_push(reply)
                elif self._replies:
                    self._replies.popleft()(reply)
        except hiredis.ProtocolError:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        replies, self._replies = self._replies, deque()
        for reply in replies:
            reply(LinkLost("connection lost"))
        self._on_lost()


def _settle(answer: asyncio.Future[Any], value: Any) -> None:
    if not answer.done():
        answer.set_result(value)


async def connect(
    address: Address, on_push: Callable[[list[Any]], None], on_lost: Callable[[], None]
) -> RedisLink:
    """An authenticated connection on which Redis has answered.

    Raises LinkLost; a server that accepts and says nothing counts as away after CONNECT_TIMEOUT_S.
    """
    loop = asyncio.get_running_loop()
    link: RedisLink | None = None
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            _, link = await loop.create_connection(
                lambda: RedisLink(on_push, on_lost),
                address.host,
                address.port,
                ssl=address.ssl_context(),
            )
            if address.password is not None:
                await link.request("AUTH", address.username or "default", address.password)
            await link.request("PING")
    except BaseException as error:
        # Also when the caller gives up in the middle.
        if link is not None:
            link.close()
        if isinstance(error, (OSError, TimeoutError, LinkLost)):
            raise LinkLost(f"{address.host}:{address.port}: {str(error) or 'no answer'}") from error
        raise
    return link
