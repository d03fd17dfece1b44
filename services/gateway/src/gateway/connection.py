"""Owns one socket: what is written to it and how much may wait there, who it is, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final

import orjson
from aiohttp import web

from gateway.framing import pong_frame, text_frame
from gateway.limits import Bucket
from gateway.metrics import EVICTIONS
from messenger_shared import errors
from messenger_shared.closes import Close, reason
from messenger_shared.errors import AppError
from messenger_shared.tokens import Identity

MAX_BUFFERED_BYTES: Final = 1024 * 1024
MAX_BUFFERED_EPHEMERAL_BYTES: Final = 64 * 1024
# Who still sends all the while would be reset, and not read why; a busy client needs its time.
CLOSE_TIMEOUT_S: Final = 5.0
FLOODING_RETRY_MS: Final = 1_000


class Connection:
    """One client's socket. Writing never waits: what the client doesn't take is bounded."""

    __slots__ = (
        "_at_rest",
        "_loop",
        "_note",
        "_replies",
        "_transport",
        "away",
        "busy",
        "closing",
        "frames",
        "identity",
        "messages",
        "patience",
        "pinged_at",
        "session_id",
        "socket",
        "typing",
        "user_id",
        "viewing",
    )

    def __init__(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.WriteTransport,
        identity: Identity,
        session_id: str,
        frames: Bucket,
        messages: Bucket,
        patience: Bucket,
        note: Callable[[Connection], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self.socket = socket
        self.user_id = identity.user_id
        # Another one after `auth.refresh`.
        self.identity = identity
        self.session_id = session_id
        self.frames = frames
        # Shared by all sockets of the user.
        self.messages = messages
        # How often it may still be told `rate_limited`.
        self.patience = patience
        # When a ping went out that no pong has answered yet; 0 while there is none.
        self.pinged_at = 0.0
        # The conversations that this socket looks at.
        self.viewing: set[str] | None = None
        # How often it may still tell that its user types; made when he does.
        self.typing: Bucket | None = None
        # Its user has said so, by `presence.set`.
        self.away = False
        # How many queues of commands have one under way.
        self.busy = 0
        self._at_rest: asyncio.Event | None = None
        # What leaves at the end of this turn, or with the next event; `note` sees to that.
        self._replies: list[bytes] | None = None
        self._note = note
        self.closing: asyncio.Task[None] | None = None

    @property
    def buffered(self) -> int:
        """Bytes that the client hasn't taken yet."""
        return self._transport.get_write_buffer_size()

    def write(self, data: bytes) -> None:
        """Writes ready-made frames that must arrive; who doesn't read them is closed and comes back."""
        if self.closing is not None or self._transport.is_closing():
            return
        if self._replies is not None:
            # Together they are one call of the kernel, which costs more than all else about them.
            data = b"".join((*self._replies, data))
            self._replies = None
        if self._transport.get_write_buffer_size() + len(data) > MAX_BUFFERED_BYTES:
            EVICTIONS.inc()
            self.close(Close.SLOW_READER)
            return
        self._transport.write(data)

    def write_ephemeral(self, data: bytes) -> None:
        """Writes ready-made frames that may be lost: the first to go when the client reads slowly."""
        if self._transport.get_write_buffer_size() <= MAX_BUFFERED_EPHEMERAL_BYTES:
            self.write(data)

    def reply(self, text: bytes) -> None:
        """Sends the text of a frame to this socket alone, with what else it gets in this turn."""
        self._put(text_frame(text))

    def pong(self, payload: bytes) -> None:
        """Answers a ping, with what else the socket gets in this turn."""
        self._put(pong_frame(payload))

    def flush(self) -> None:
        """Writes the replies that wait."""
        if self._replies is not None:
            self.write(b"")

    def send(self, frame: dict[str, Any]) -> None:
        """Sends a frame to this socket alone, at once."""
        self.write(text_frame(orjson.dumps(frame)))

    def send_error(self, error: AppError, ref: str | None = None) -> None:
        """Sends an `error` frame."""
        self.reply(error_frame(error, ref))

    def rest(self) -> None:
        """One of the queues of commands has none under way any more."""
        self.busy -= 1
        if not self.busy and self._at_rest is not None:
            self._at_rest.set()

    def refuse(self, wait_ms: int, ref: str | None = None) -> None:
        """Says `rate_limited`; who goes on in spite of that is closed."""
        if self.patience.take(self._loop.time()):
            self.close(Close.FLOODING, retry_after_ms=max(wait_ms, FLOODING_RETRY_MS))
        else:
            self.reply(_refusal(wait_ms, ref))

    def close(self, code: Close, retry_after_ms: int | None = None) -> None:
        """Begins to close; nothing is written any more. Safe to repeat."""
        if self.closing is None:
            self.flush()
        # Its replies may have been too much already.
        if self.closing is None:
            closing = self._close(code, reason(code, retry_after_ms))
            self.closing = self._loop.create_task(closing, name="closing")

    async def part(self, code: Close, patience_s: float) -> None:
        """Closes as soon as the commands under way are answered, after `patience_s` at the latest."""
        if self.busy:
            self._at_rest = asyncio.Event()
            with suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await self._at_rest.wait()
        self.close(code)
        if self.closing is not None:
            await self.closing

    def _put(self, frame: bytes) -> None:
        if self._replies is not None:
            self._replies.append(frame)
        else:
            self._replies = [frame]
            self._note(self)

    async def _close(self, code: Close, text: bytes) -> None:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self.socket.close(code=code, message=text)
        except (TimeoutError, ConnectionError, RuntimeError):
            pass
        finally:
            if self.buffered:
                # Who reads nothing would keep the socket, and its buffer, for ever.
                self._transport.abort()
            else:
                # Not by a reset, which would overtake the close frame.
                self._transport.close()


def error_frame(error: AppError, ref: str | None) -> bytes:
    """The text of an `error` frame."""
    frame = {"type": "error", **error.to_wire()}
    if ref is not None:
        frame["ref"] = ref
    return orjson.dumps(frame)


@lru_cache(maxsize=256)
def _refusal(wait_ms: int, ref: str | None) -> bytes:
    """A flood gets the same again and again."""
    return error_frame(AppError(errors.RATE_LIMITED, retry_after_ms=wait_ms), ref)
