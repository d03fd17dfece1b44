"""Owns a TCP proxy that does to a connection what networks do: delays, silences, slices and cuts it."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections import deque
from collections.abc import Callable
from itertools import count
from random import Random
from types import TracebackType
from typing import Self

_RST = struct.pack("ii", 1, 0)
_PIECE = (1, 3)
# For the half to leave before the end.
_HALF_OUT_S = 0.02

Sieve = Callable[[bytes], bytes]


class Proxy:
    """A port of its own that leads to another one; `make_sieve` may change what comes back from there."""

    def __init__(self, port: int, make_sieve: Callable[[], Sieve] | None = None) -> None:
        self.port = 0
        self.passages: set[Passage] = set()
        self._target = port
        self._make_sieve = make_sieve
        self._silent = False
        self._numbers = count(1)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for passage in list(self.passages):
            passage.reset()
        await asyncio.gather(*(passage.opening for passage in self.passages), return_exceptions=True)

    def silence(self) -> None:
        """Nothing passes; connections stay open, and new ones are accepted."""
        self._silent = True
        for passage in self.passages:
            passage.hold("silence")

    def speak(self) -> None:
        """What waits passes, and all that follows."""
        self._silent = False
        for passage in self.passages:
            passage.release("silence")

    def _accept(self) -> _End:
        passage = Passage(
            next(self._numbers), self._make_sieve() if self._make_sieve else None, self.passages
        )
        if self._silent:
            passage.hold("silence")
        passage.opening = asyncio.create_task(passage.open(self._target), name="passage")
        return passage.near


class Passage:
    """One connection: its near end was accepted, its far end leads to the target."""

    def __init__(self, number: int, sieve: Sieve | None, among: set[Passage]) -> None:
        self.number = number
        self.near = _End(self, None)
        self.far = _End(self, sieve)
        self.near.other, self.far.other = self.far, self.near
        self.opening: asyncio.Task[None]
        self._among = among
        among.add(self)

    @property
    def peer_port(self) -> int:
        """The port of whoever connected."""
        transport = self.near.transport
        return transport.get_extra_info("peername")[1] if transport is not None else 0

    async def open(self, port: int) -> None:
        """Connects the far end; a target that is away ends the near one."""
        try:
            await asyncio.get_running_loop().create_connection(lambda: self.far, "127.0.0.1", port)
        except OSError:
            self.reset()

    def hold(self, why: str) -> None:
        """Nothing passes in either direction; the connection stays open."""
        self.near.pause(why)
        self.far.pause(why)

    def release(self, why: str) -> None:
        """What waits passes."""
        self.near.resume(why)
        self.far.resume(why)

    def delay(self, seconds: float) -> None:
        """Everything takes so much longer; 0 ends it."""
        self.near.latency_s = self.far.latency_s = seconds

    def slice(self, random: Random | None) -> None:
        """Everything comes in pieces of 1-3 bytes; None ends it."""
        self.near.slicer = self.far.slicer = random

    def reset(self) -> None:
        """Both sides get RST."""
        for end in (self.near, self.far):
            end.reset()
        self._among.discard(self)

    def finish(self) -> None:
        """Both sides get FIN."""
        for end in (self.near, self.far):
            end.finish()

    def break_next(self) -> None:
        """The next thing that comes back from the target ends in its middle, and so does the connection."""
        self.far.breaks = True

    def ended(self, end: _End) -> None:
        """One end is gone: the other one goes too, once it has what was said before."""
        end.other.finish()
        self._among.discard(self)


class _End(asyncio.Protocol):
    """One end of a passage: what it receives is written to the other."""

    other: _End

    def __init__(self, passage: Passage, sieve: Sieve | None) -> None:
        self.transport: asyncio.Transport | None = None
        self.latency_s = 0.0
        self.slicer: Random | None = None
        self.breaks = False
        self._passage = passage
        self._sieve = sieve
        self._paused: set[str] = set()
        self._early = self._late = b""
        # What is under way to the other end: when it is due, and what.
        self._queue: deque[tuple[float, bytes]] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        transport.write(self._early)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self._passage.ended(self)

    def pause_writing(self) -> None:
        self.other.pause("full")

    def resume_writing(self) -> None:
        self.other.resume("full")

    def data_received(self, data: bytes) -> None:
        if self._paused:
            # A new connection reads at first, whatever it was told.
            self._late += data
            return
        if self._sieve is not None:
            data = self._sieve(data)
        if self.breaks and len(data) > 1:
            self.other.write(data[: len(data) // 2])
            self._passage.hold("broken")
            asyncio.get_running_loop().call_later(_HALF_OUT_S, self._passage.reset)
        elif self.latency_s or self.slicer or self._queue:
            self._put(data)
        else:
            self.other.write(data)

    def write(self, data: bytes) -> None:
        """Hands on; what comes before there is a connection waits for it."""
        if self.transport is not None:
            self.transport.write(data)
        else:
            self._early += data

    def pause(self, why: str) -> None:
        """Reads nothing until every reason for that is gone."""
        if not self._paused and self.transport is not None:
            self.transport.pause_reading()
        self._paused.add(why)

    def resume(self, why: str) -> None:
        """One reason is gone."""
        was_paused = bool(self._paused)
        self._paused.discard(why)
        if self._paused or not was_paused:
            return
        if self.transport is not None:
            self.transport.resume_reading()
        if self._late:
            late, self._late = self._late, b""
            self.data_received(late)

    def reset(self) -> None:
        if self.transport is not None:
            # uvloop's own socket object can't be told.
            fd = self.transport.get_extra_info("socket").fileno()
            with socket.socket(fileno=os.dup(fd)) as twin:
                twin.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
            self.transport.abort()

    def finish(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def _put(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + self.latency_s
        if not self._queue:
            loop.call_at(due, self._flush)
        while data:
            size = self.slicer.randint(*_PIECE) if self.slicer else len(data)
            self._queue.append((due, data[:size]))
            data = data[size:]

    def _flush(self) -> None:
        """One piece a turn of the loop: several would be one write."""
        _, data = self._queue.popleft()
        self.other.write(data)
        if self._queue:
            asyncio.get_running_loop().call_at(self._queue[0][0], self._flush)
