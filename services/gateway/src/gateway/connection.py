"""Owns one socket: what is written to it and how much may wait there, who it is, and how it ends."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import orjson
from aiohttp import web

from gateway.framing import text_frame
from gateway.limits import Bucket
from gateway.metrics import EVICTIONS
from messenger_shared.closes import Close, reason
from messenger_shared.errors import AppError

MAX_BUFFERED_BYTES: Final = 1024 * 1024
MAX_BUFFERED_EPHEMERAL_BYTES: Final = 64 * 1024
CLOSE_TIMEOUT_S: Final = 2.0


class Connection:
    """One client's socket. Writing never waits: what the client doesn't take is bounded."""

    __slots__ = (
        "_loop",
        "_transport",
        "away",
        "closing",
        "expires_at",
        "frames",
        "messages",
        "pinged_at",
        "refused",
        "session_id",
        "socket",
        "user_id",
        "viewing",
    )

    def __init__(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.WriteTransport,
        user_id: int,
        session_id: str,
        expires_at: float,
        frames: Bucket,
        messages: Bucket,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self.socket = socket
        self.user_id = user_id
        self.session_id = session_id
        self.expires_at = expires_at
        self.frames = frames
        # Shared by all sockets of the user.
        self.messages = messages
        self.refused = 0
        # When a ping went out that no pong has answered yet; 0 while there is none.
        self.pinged_at = 0.0
        # The conversations that this socket looks at.
        self.viewing: set[str] = set()
        # Its user has said so, by `presence.set`.
        self.away = False
        self.closing: asyncio.Task[None] | None = None

    @property
    def buffered(self) -> int:
        """Bytes that the client hasn't taken yet."""
        return self._transport.get_write_buffer_size()

    def write(self, data: bytes) -> None:
        """Writes ready-made frames that must arrive; who doesn't read them is closed and comes back."""
        if self.closing is not None or self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() + len(data) > MAX_BUFFERED_BYTES:
            EVICTIONS.inc()
            self.close(Close.SLOW_READER)
            return
        self._transport.write(data)

    def write_ephemeral(self, data: bytes) -> None:
        """Writes ready-made frames that may be lost: the first to go when the client reads slowly."""
        if self._transport.get_write_buffer_size() <= MAX_BUFFERED_EPHEMERAL_BYTES:
            self.write(data)

    def send(self, frame: dict[str, Any]) -> None:
        """Sends a frame to this socket alone."""
        self.write(text_frame(orjson.dumps(frame)))

    def send_error(self, error: AppError, ref: str | None = None) -> None:
        """Sends an `error` frame."""
        frame = {"type": "error", **error.to_wire()}
        if ref is not None:
            frame["ref"] = ref
        self.send(frame)

    def close(self, code: Close, retry_after_ms: int | None = None) -> None:
        """Begins to close; nothing is written any more. Safe to repeat."""
        if self.closing is None:
            closing = self._close(code, reason(code, retry_after_ms))
            self.closing = self._loop.create_task(closing, name="closing")

    async def _close(self, code: Close, text: bytes) -> None:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self.socket.close(code=code, message=text)
        except (TimeoutError, ConnectionError, RuntimeError):
            pass
        finally:
            # Who reads nothing would keep the socket, and its buffer, for ever.
            self._transport.abort()
