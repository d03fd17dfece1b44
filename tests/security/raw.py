"""A client that follows no rules: raw bytes over TCP, and WebSocket frames that no library would send."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.documented import BASE_PATH
from tests.waiting import LIMIT_S

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_FIN, _MASKED = 0x80, 0x80


class Frame(NamedTuple):
    """One frame as the server sent it."""

    opcode: int
    payload: bytes

    @property
    def code(self) -> int:
        """Returns the code of a close frame."""
        assert self.opcode == CLOSE, self
        return int.from_bytes(self.payload[:2])

    @property
    def body(self) -> Any:
        """Returns the JSON of a text frame."""
        assert self.opcode == TEXT, self
        return json.loads(self.payload)


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    mask: bool = True,
    size: int | None = None,
    declared: int | None = None,
) -> bytes:
    """Builds a frame. `size` is the number of length bytes (0, 2, 8), `declared` a possibly false length."""
    length = len(payload) if declared is None else declared
    size = (0 if length < 126 else 2 if length < 2**16 else 8) if size is None else size
    first = (_FIN if fin else 0) | rsv << 4 | opcode
    second = (_MASKED if mask else 0) | {0: length, 2: 126, 8: 127}[size]
    head = bytes((first, second)) + (length.to_bytes(size) if size else b"")
    if not mask:
        return head + payload
    key = os.urandom(4)
    # As one number, since a loop over the bytes of a large frame takes long.
    pad = (key * (len(payload) // 4 + 1))[: len(payload)]
    masked = int.from_bytes(payload) ^ int.from_bytes(pad)
    return head + key + masked.to_bytes(len(payload))


class RawConnection:
    """A TCP connection to the gateway."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, *parts: bytes) -> None:
        """Writes, as far as the server still accepts it."""
        if not self.writer.is_closing():
            self.writer.write(b"".join(parts))

    async def rest(self, timeout_s: float = LIMIT_S) -> bytes:
        """Returns all bytes until the server ends the connection in any way; fails if it doesn't."""
        found = b""
        try:
            async with asyncio.timeout(timeout_s):
                while data := await self.reader.read(2**16):
                    found += data
        except ConnectionError:
            pass
        except TimeoutError:
            raise AssertionError(f"still open after {timeout_s} s, got {found[:500]!r}") from None
        return found

    async def frame(self, timeout_s: float = LIMIT_S) -> Frame:
        """Returns the server's next frame, which must be whole and unmasked."""
        async with asyncio.timeout(timeout_s):
            first, length = await self.reader.readexactly(2)
            assert first & 0xF0 == _FIN, "a server's frame in parts, or with reserved bits"
            assert not length & _MASKED, "a server's frame with a mask"
            if length > 125:
                length = int.from_bytes(await self.reader.readexactly(2 if length == 126 else 8))
            return Frame(first & 0x0F, await self.reader.readexactly(length))

    async def next(self, opcode: int, timeout_s: float = LIMIT_S) -> Frame:
        """Returns the next frame of this kind, and skips others."""
        while (found := await self.frame(timeout_s)).opcode != opcode:
            pass
        return found

    async def is_alive(self) -> bool:
        """Whether the socket still answers; fails if it was closed instead."""
        self.send(frame(TEXT, b'{"type":"ping","ref":"alive?"}'))
        while (found := await self.frame()).opcode != TEXT or found.body.get("ref") != "alive?":
            assert found.opcode != CLOSE, f"closed with {found.code} {found.payload[2:]!r}"
        return True


@asynccontextmanager
async def line(url: str) -> AsyncIterator[RawConnection]:
    """Yields a new connection to the gateway at `url`."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        yield RawConnection(reader, writer)
    finally:
        writer.transport.abort()


@asynccontextmanager
async def websocket(url: str, token: str) -> AsyncIterator[RawConnection]:
    """Yields a welcomed socket, for raw frames."""
    async with line(url) as opened:
        opened.send(upgrade(token))
        head = await opened.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head
        assert (await opened.frame()).body["event"] == "connected"
        yield opened


def upgrade(token: str, *headers: bytes, path: str = "/ws") -> bytes:
    """Returns the request that opens a socket."""
    key = base64.b64encode(os.urandom(16))
    ours = (b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Version: 13")
    return request("GET", path, token, *ours, b"Sec-WebSocket-Key: " + key, *headers)


def request(method: str, path: str, token: str, *headers: bytes, body: bytes = b"") -> bytes:
    """Returns a request as bytes; the caller sets the headers that describe the body."""
    bearer = (b"Authorization: Bearer " + token.encode(),) if token else ()
    head = (f"{method} {BASE_PATH}{path} HTTP/1.1".encode("latin-1"), b"Host: messenger", *bearer, *headers)
    return b"\r\n".join(head) + b"\r\n\r\n" + body
