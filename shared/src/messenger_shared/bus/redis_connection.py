"""One Redis connection: packs commands, parses replies, and writes all commands of a loop turn at once.

It uses hiredis directly because this is the hot path: redis-py costs 26 µs a pipelined command, this about 1.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import parse_qs, unquote, urlsplit

import hiredis

log = logging.getLogger(__name__)

ReplyHandler = Callable[[Any], None]

CONNECT_TIMEOUT_S: Final = 2.0
DEFAULT_PORT: Final = 6379
_SCHEMES: Final = ("redis", "rediss")
MAX_BUFFERED_BYTES: Final = 16 * 1024 * 1024
MAX_PENDING: Final = 100_000
# A command of this size is written at once, so that its receiver can start earlier.
LARGE_BYTES: Final = 3_000
_PUSHES: Final = frozenset((b"message", b"subscribe", b"unsubscribe"))


class RedisConnectionLost(Exception):
    """The connection failed or ended, or Redis refused a command; the text says why."""


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a Redis server and the login to use there."""

    host: str
    port: int
    username: str | None
    password: str | None
    tls: bool
    # A file with certificate authorities to trust besides the system's own; None for the system's alone.
    ca_file: str | None = None

    @classmethod
    def parse(cls, url: str) -> Address:
        """Parses a redis:// or rediss:// URL; raises ValueError.

        redis-py could parse it too, but importing redis-py takes a third of a second, and a killed worker is
        back within one second.
        """
        parts = urlsplit(url)
        if parts.scheme not in _SCHEMES:
            raise ValueError(f"a Redis URL must begin with {' or '.join(f'{name}://' for name in _SCHEMES)}")
        return cls(
            host=unquote(parts.hostname or "localhost"),
            port=parts.port or DEFAULT_PORT,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            tls=parts.scheme == "rediss",
            ca_file=parse_qs(parts.query).get("ssl_ca_certs", [None])[0],
        )

    def ssl_context(self) -> ssl.SSLContext | None:
        """The TLS context that checks the server's certificate and host name; None without TLS."""
        if not self.tls:
            return None
        context = ssl.create_default_context()
        if self.ca_file is not None:
            context.load_verify_locations(self.ca_file)
        return context


class RedisConnection(asyncio.Protocol):
    """One open connection. `on_push` gets each push message; `on_lost` is called once, when it ends."""

    def __init__(self, on_push: Callable[[list[Any]], None], on_lost: Callable[[], None]) -> None:
        self._on_push = on_push
        self._on_lost = on_lost
        self._reader = hiredis.Reader()
        self._replies: deque[ReplyHandler] = deque()
        self._outbox: list[bytes] = []
        self._transport: asyncio.WriteTransport | None = None
        self._loop = asyncio.get_running_loop()

    @property
    def is_full(self) -> bool:
        """Whether to refuse another command: not connected, or too much is unwritten or unanswered."""
        return (
            self._transport is None
            or len(self._replies) >= MAX_PENDING
            or self._transport.get_write_buffer_size() >= MAX_BUFFERED_BYTES
        )

    def send(self, *command: bytes | str) -> None:
        """Sends a command that has no reply besides pushes: SUBSCRIBE, UNSUBSCRIBE."""
        if not self._outbox:
            self._loop.call_soon(self.flush)
        packed = hiredis.pack_command(command)  # type: ignore[arg-type]
        self._outbox.append(packed)
        if len(packed) >= LARGE_BYTES:
            self.flush()

    def ask(self, command: tuple[bytes | str, ...], reply: ReplyHandler) -> None:
        """Sends a command; `reply` gets the answer, or RedisConnectionLost if the connection ends first."""
        self._replies.append(reply)
        self.send(*command)

    async def request(self, *command: bytes | str) -> Any:
        """Sends a command and returns its answer; raises RedisConnectionLost, also for an error reply."""
        answer: asyncio.Future[Any] = self._loop.create_future()
        self.ask(command, lambda value: _settle(answer, value))
        value = await answer
        if isinstance(value, Exception):
            raise RedisConnectionLost(str(value))
        return value

    def flush(self) -> None:
        """Writes all pending commands."""
        if self._outbox and self._transport is not None:
            self._transport.write(b"".join(self._outbox))
        self._outbox.clear()

    def close(self) -> None:
        """Aborts the connection; `on_lost` is called afterwards."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods but don't inherit from asyncio's classes.
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not False:
                if type(reply) is list and reply and reply[0] in _PUSHES:
                    self._on_push(reply)
                elif self._replies:
                    self._replies.popleft()(reply)
                elif isinstance(reply, Exception):
                    # Nothing else has its answer in pushes: this user of Redis lacks a right.
                    log.error("redis refuses a subscription: %s", reply)
        except hiredis.ProtocolError:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        replies, self._replies = self._replies, deque()
        for reply in replies:
            reply(RedisConnectionLost("connection lost"))
        self._on_lost()


def _settle(answer: asyncio.Future[Any], value: Any) -> None:
    if not answer.done():
        answer.set_result(value)


async def connect(
    address: Address, on_push: Callable[[list[Any]], None], on_lost: Callable[[], None]
) -> RedisConnection:
    """Opens a connection, authenticates, and waits for the answer to a PING.

    Raises RedisConnectionLost, also when the server accepts but doesn't answer within CONNECT_TIMEOUT_S.
    """
    loop = asyncio.get_running_loop()
    connection: RedisConnection | None = None
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            _, connection = await loop.create_connection(
                lambda: RedisConnection(on_push, on_lost),
                address.host,
                address.port,
                ssl=address.ssl_context(),
            )
            if address.password is not None:
                await connection.request("AUTH", address.username or "default", address.password)
            await connection.request("PING")
    except BaseException as error:
        # BaseException: the connection is closed on cancellation too.
        if connection is not None:
            connection.close()
        if isinstance(error, (OSError, TimeoutError, RedisConnectionLost)):
            raise RedisConnectionLost(
                f"{address.host}:{address.port}: {str(error) or 'no answer'}"
            ) from error
        raise
    return connection
