"""A minimal WebSocket client: whole text frames in and out, one object each.

A run has a hundred thousand deliveries a minute on the machine that also runs the servers. A general client
would take most of the CPU time.
"""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Callable

OPEN_S = 5.0
CLOSE_S = 2.0
ABNORMAL = 1006
NORMAL = 1000
_TEXT, _CLOSE, _PING, _PONG = 0x1, 0x8, 0x9, 0xA
_MASKED = 0x80
# Masking protects old proxies and is of no use here. With a zero mask the text stays as it is.
_MASK = bytes(4)

OnText = Callable[[bytes], None]
OnEnd = Callable[[int, bytes], None]


class Refused(ConnectionError):
    """The server answered with something other than an upgrade."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


class Wire(asyncio.Protocol):
    """One connection. `on_end` gets the close code once, 1006 when the connection ended without one."""

    def __init__(self, on_text: OnText, on_end: OnEnd) -> None:
        self._on_text = on_text
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._upgraded: asyncio.Future[None] = self._loop.create_future()
        self._rest = b""
        self._code, self._reason = ABNORMAL, b""
        self.heard_at = self._loop.time()
        self.port = 0

    async def upgrade(self, host: str, path: str, token: str) -> None:
        """Asks for the upgrade; raises Refused, or ConnectionError when the connection ends instead."""
        nonce = base64.b64encode(os.urandom(16)).decode()
        lines = (
            f"GET {path} HTTP/1.1",
            f"Host: {host}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {nonce}",
            f"Authorization: Bearer {token}",
        )
        self._write("\r\n".join((*lines, "", "")).encode())
        await self._upgraded

    def send(self, text: bytes) -> None:
        """Sends a text frame; drops it when the connection is gone, as a network would."""
        self._write(_frame(_TEXT, text))

    def close(self) -> None:
        """Starts the closing handshake, and doesn't wait for the answer."""
        self._write(_frame(_CLOSE, NORMAL.to_bytes(2)))
        self._loop.call_later(CLOSE_S, self.abort)

    def abort(self) -> None:
        """Ends the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports aren't subclasses of asyncio's.
        self._transport = transport  # type: ignore[assignment]
        self.port = transport.get_extra_info("sockname")[1]

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if not self._upgraded.done():
            self._upgraded.set_exception(ConnectionError("ended before the upgrade"))
            self._upgraded.exception()
            return
        if not self._upgraded.cancelled() and self._upgraded.exception() is None:
            self._on_end(self._code, self._reason)

    def data_received(self, data: bytes) -> None:
        self.heard_at = self._loop.time()
        self._rest = self._rest + data if self._rest else data
        if not self._upgraded.done() and not self._read_head():
            return
        self._read_frames()

    def _read_head(self) -> bool:
        head, separator, rest = self._rest.partition(b"\r\n\r\n")
        if not separator:
            return False
        status = int(head.split(b" ", 2)[1])
        if status != 101:
            self._upgraded.set_exception(Refused(status))
            self.abort()
            return False
        self._upgraded.set_result(None)
        self._rest = rest
        return True

    def _read_frames(self) -> None:
        data, at, end = self._rest, 0, len(self._rest)
        while end - at >= 2:
            length, start = data[at + 1], at + 2
            if length == 126:
                length, start = int.from_bytes(data[start : start + 2]), start + 2
            elif length == 127:
                length, start = int.from_bytes(data[start : start + 8]), start + 8
            if end - start < length:
                break
            opcode, payload, at = data[at] & 0xF, data[start : start + length], start + length
            if opcode == _TEXT:
                self._on_text(payload)
            elif opcode == _PING:
                self._write(_frame(_PONG, payload))
            elif opcode == _CLOSE:
                self._said_goodbye(payload)
        self._rest = data[at:]

    def _said_goodbye(self, payload: bytes) -> None:
        self._code = int.from_bytes(payload[:2]) if payload else 1005
        self._reason = payload[2:]
        self._write(_frame(_CLOSE, payload[:2]))
        if self._transport is not None:
            self._transport.close()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


async def open_wire(host: str, port: int, path: str, token: str, on_text: OnText, on_end: OnEnd) -> Wire:
    """Opens an upgraded connection; raises OSError (Refused is one) or TimeoutError."""
    loop = asyncio.get_running_loop()
    wire: Wire | None = None
    try:
        async with asyncio.timeout(OPEN_S):
            _, wire = await loop.create_connection(lambda: Wire(on_text, on_end), host, port)
            await wire.upgrade(f"{host}:{port}", path, token)
    except BaseException:
        if wire is not None:
            wire.abort()
        raise
    return wire


def _frame(opcode: int, payload: bytes) -> bytes:
    length = len(payload)
    if length < 126:
        head = bytes((0x80 | opcode, _MASKED | length))
    elif length < 65_536:
        head = bytes((0x80 | opcode, _MASKED | 126)) + length.to_bytes(2)
    else:
        head = bytes((0x80 | opcode, _MASKED | 127)) + length.to_bytes(8)
    return head + _MASK + payload
