"""One client's socket: bounded writes, its identity and rate limits, and its close."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final

import orjson
from aiohttp import web

from gateway.connections.framing import pong_frame, text_frame
from gateway.connections.rate_limits import TokenBucket
from gateway.metrics import EVICTIONS
from messenger_shared.contract import errors
from messenger_shared.contract.close_codes import Close, reason
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.tokens import Identity

MAX_BUFFERED_BYTES: Final = 1024 * 1024
MAX_BUFFERED_EPHEMERAL_BYTES: Final = 64 * 1024
# A client that is still sending when the socket closes is reset and never reads the close code. A busy client
# needs this long to stop.
CLOSE_TIMEOUT_S: Final = 5.0
FLOODING_RETRY_MS: Final = 1_000


class Connection:
    """One client's socket. A write never waits; the bytes that the client hasn't read yet are bounded."""

    __slots__ = (
        "_flush_later",
        "_identity",
        "_idle",
        "_loop",
        "_replies",
        "_transport",
        "busy_queues",
        "closing",
        "ends_at",
        "frame_limit",
        "is_away",
        "message_limit",
        "pinged_at",
        "refusal_limit",
        "session_id",
        "socket",
        "typing_limit",
        "user_id",
        "viewing",
    )

    def __init__(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.WriteTransport,
        identity: Identity,
        session_id: str,
        frame_limit: TokenBucket,
        message_limit: TokenBucket,
        refusal_limit: TokenBucket,
        flush_later: Callable[[Connection], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self.socket = socket
        self.user_id = identity.user_id
        self.identity = identity
        self.session_id = session_id
        self.frame_limit = frame_limit
        # Shared by all sockets of the user.
        self.message_limit = message_limit
        # How many more `rate_limited` errors it may get before it is closed; shared as well.
        self.refusal_limit = refusal_limit
        # When the unanswered ping was sent; 0 if there is none.
        self.pinged_at = 0.0
        # Ids of the conversations that this socket views; None until the first.
        self.viewing: set[str] | None = None
        # The rate limit of typing commands; None until the first.
        self.typing_limit: TokenBucket | None = None
        # Set by the `presence.set` command.
        self.is_away = False
        # The number of command queues that have a command under way.
        self.busy_queues = 0
        self._idle: asyncio.Event | None = None
        # Frames to write at the end of this turn of the event loop, or with the next event. `flush_later`
        # makes the hub flush them.
        self._replies: list[bytes] | None = None
        self._flush_later = flush_later
        self.closing: asyncio.Task[None] | None = None

    @property
    def identity(self) -> Identity:
        """The user and session of the socket; `auth.refresh` replaces it."""
        return self._identity

    @identity.setter
    def identity(self, identity: Identity) -> None:
        self._identity = identity
        # By the monotonic clock, so that a jump of the system clock neither ends nor prolongs a socket.
        self.ends_at = self._loop.time() + identity.expires_at - time.time()

    @property
    def buffered(self) -> int:
        """Bytes that the client hasn't read yet."""
        return self._transport.get_write_buffer_size()

    def write(self, data: bytes) -> None:
        """Writes encoded frames that must arrive. A client that reads too slowly is closed; it reconnects."""
        if self.closing is not None or self._transport.is_closing():
            return
        if self._replies is not None:
            # One write for all of them: the system call costs more than everything else about a reply.
            data = b"".join((*self._replies, data))
            self._replies = None
        if self._transport.get_write_buffer_size() + len(data) > MAX_BUFFERED_BYTES:
            EVICTIONS.inc()
            self.close(Close.SLOW_READER)
            return
        self._transport.write(data)

    def write_ephemeral(self, data: bytes) -> None:
        """Writes encoded frames that may be lost. They are dropped first when the client reads slowly."""
        if self._transport.get_write_buffer_size() <= MAX_BUFFERED_EPHEMERAL_BYTES:
            self.write(data)

    def reply(self, text: bytes) -> None:
        """Sends a frame, given as its text, with the socket's other writes of this turn."""
        self._put(text_frame(text))

    def pong(self, payload: bytes) -> None:
        """Answers a ping, with the socket's other writes of this turn."""
        self._put(pong_frame(payload))

    def flush(self) -> None:
        """Writes the waiting replies."""
        if self._replies is not None:
            self.write(b"")

    def send(self, frame: dict[str, Any]) -> None:
        """Encodes a frame and writes it at once."""
        self.write(text_frame(orjson.dumps(frame)))

    def send_error(self, error: AppError, ref: str | None = None) -> None:
        """Sends an `error` frame."""
        self.reply(error_frame(error, ref))

    def mark_queue_idle(self) -> None:
        """Notes that one of the command queues is idle again."""
        self.busy_queues -= 1
        if not self.busy_queues and self._idle is not None:
            self._idle.set()

    def send_rate_limited(self, wait_ms: int, ref: str | None = None) -> None:
        """Answers `rate_limited`; closes the socket instead when it has had too many of these."""
        if self.refusal_limit.take(self._loop.time()):
            self.close(Close.FLOODING, retry_after_ms=max(wait_ms, FLOODING_RETRY_MS))
        else:
            self.reply(_rate_limited_frame(wait_ms, ref))

    def close(self, code: Close, retry_after_ms: int | None = None) -> None:
        """Starts to close the socket. Later writes are ignored. Safe to repeat."""
        if self.closing is None:
            self.flush()
        # The flush itself closes the socket if the replies exceed its buffer.
        if self.closing is None:
            closing = self._close(code, reason(code, retry_after_ms))
            self.closing = self._loop.create_task(closing, name="closing socket")

    async def close_when_idle(self, code: Close, timeout_s: float) -> None:
        """Closes once the commands under way are answered, but waits at most `timeout_s` for them."""
        if self.busy_queues:
            self._idle = asyncio.Event()
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._idle.wait()
        self.close(code)
        if self.closing is not None:
            await self.closing

    def _put(self, frame: bytes) -> None:
        if self._replies is not None:
            self._replies.append(frame)
        else:
            self._replies = [frame]
            self._flush_later(self)

    async def _close(self, code: Close, text: bytes) -> None:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self.socket.close(code=code, message=text)
        except (TimeoutError, ConnectionError, RuntimeError):
            pass
        finally:
            if self.buffered:
                # A client that reads nothing would keep the socket and its buffer for ever.
                self._transport.abort()
            else:
                # Not `abort`: its reset would overtake the close frame.
                self._transport.close()


def error_frame(error: AppError, ref: str | None) -> bytes:
    """The text of an `error` frame."""
    frame = {"type": "error", **error.to_wire()}
    if ref is not None:
        frame["ref"] = ref
    return orjson.dumps(frame)


@lru_cache(maxsize=256)
def _rate_limited_frame(wait_ms: int, ref: str | None) -> bytes:
    """Cached, because a flooding client gets the same error again and again."""
    return error_frame(AppError(errors.RATE_LIMITED, retry_after_ms=wait_ms), ref)
