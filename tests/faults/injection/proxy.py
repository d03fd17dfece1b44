"""A TCP proxy that does to connections what networks do: delays, stalls, slices and cuts them."""

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
# Time for the first half of a message to leave before the connection ends.
_HALF_OUT_S = 0.02

Filter = Callable[[bytes], bytes]


class Proxy:
    """Listens on a port and forwards to another one; `make_filter` may filter what the target sends."""

    def __init__(self, port: int, make_filter: Callable[[], Filter] | None = None) -> None:
        self.port = 0
        self.links: set[Link] = set()
        self._target = port
        self._make_filter = make_filter
        self._is_stopped = False
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
        for link in list(self.links):
            link.reset()
        await asyncio.gather(*(link.opening for link in self.links), return_exceptions=True)

    def stop_traffic(self) -> None:
        """Stops all traffic; connections stay open, and new ones are accepted."""
        self._is_stopped = True
        for link in self.links:
            link.pause("traffic stopped")

    def resume_traffic(self) -> None:
        """Lets the held traffic pass, and everything after it."""
        self._is_stopped = False
        for link in self.links:
            link.resume("traffic stopped")

    def forward_to(self, port: int) -> None:
        """Forwards new connections to this port; open ones keep their target."""
        self._target = port

    def _accept(self) -> _LinkEnd:
        link = Link(next(self._numbers), self._make_filter() if self._make_filter else None, self.links)
        if self._is_stopped:
            link.pause("traffic stopped")
        link.opening = asyncio.create_task(link.open(self._target), name="link")
        return link.client_end


class Link:
    """One connection: its near end was accepted, its far end is connected to the target."""

    def __init__(self, number: int, new_filter: Filter | None, open_links: set[Link]) -> None:
        self.number = number
        self.client_end = _LinkEnd(self, None)
        self.target_end = _LinkEnd(self, new_filter)
        self.client_end.other, self.target_end.other = self.target_end, self.client_end
        self.opening: asyncio.Task[None]
        self._open_links = open_links
        open_links.add(self)

    @property
    def peer_port(self) -> int:
        """Returns the port of the client."""
        transport = self.client_end.transport
        return transport.get_extra_info("peername")[1] if transport is not None else 0

    async def open(self, port: int) -> None:
        """Connects the far end; ends the near one if the target is away."""
        try:
            await asyncio.get_running_loop().create_connection(lambda: self.target_end, "127.0.0.1", port)
        except OSError:
            self.reset()

    def pause(self, reason: str) -> None:
        """Stops the traffic in both directions; the connection stays open."""
        self.client_end.pause(reason)
        self.target_end.pause(reason)

    def resume(self, reason: str) -> None:
        """Lifts this reason for a hold; held traffic passes when none is left."""
        self.client_end.resume(reason)
        self.target_end.resume(reason)

    def delay(self, seconds: float) -> None:
        """Delays everything by so many seconds; 0 ends it."""
        self.client_end.latency_s = self.target_end.latency_s = seconds

    def slice(self, random: Random | None) -> None:
        """Passes everything on in pieces of 1-3 bytes; None ends it."""
        self.client_end.slicer = self.target_end.slicer = random

    def reset(self) -> None:
        """Sends RST to both sides."""
        for end in (self.client_end, self.target_end):
            end.reset()
        self._open_links.discard(self)

    def finish(self) -> None:
        """Sends FIN to both sides."""
        for end in (self.client_end, self.target_end):
            end.finish()

    def break_next(self) -> None:
        """Cuts the next data from the target in the middle, and ends the connection there."""
        self.target_end.breaks_next = True

    def ended(self, end: _LinkEnd) -> None:
        """One end is gone: ends the other one as soon as it has sent what came before."""
        end.other.finish()
        self._open_links.discard(self)


class _LinkEnd(asyncio.Protocol):
    """One end of a link: writes what it receives to the other end."""

    other: _LinkEnd

    def __init__(self, link: Link, new_filter: Filter | None) -> None:
        self.transport: asyncio.Transport | None = None
        self.latency_s = 0.0
        self.slicer: Random | None = None
        self.breaks_next = False
        self._link = link
        self._filter = new_filter
        self._paused: set[str] = set()
        self._early = self._late = b""
        # Data under way to the other end: (when it is due, bytes).
        self._queue: deque[tuple[float, bytes]] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        transport.write(self._early)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self._link.ended(self)

    def pause_writing(self) -> None:
        self.other.pause("full")

    def resume_writing(self) -> None:
        self.other.resume("full")

    def data_received(self, data: bytes) -> None:
        if self._paused:
            # asyncio reads from a new connection at first, even if it was told to pause.
            self._late += data
            return
        if self._filter is not None:
            data = self._filter(data)
        if self.breaks_next and len(data) > 1:
            # The half goes behind what is still under way, or it would come before it.
            data = data[: len(data) // 2]
            self._link.pause("broken")
            asyncio.get_running_loop().call_later(_HALF_OUT_S, self._link.reset)
        if self.latency_s or self.slicer or self._queue:
            self._put(data)
        else:
            self.other.write(data)

    def write(self, data: bytes) -> None:
        """Writes the data, or keeps it until the connection exists."""
        if self.transport is not None:
            self.transport.write(data)
        else:
            self._early += data

    def pause(self, reason: str) -> None:
        """Stops reading until every reason to pause is gone."""
        if not self._paused and self.transport is not None:
            self.transport.pause_reading()
        self._paused.add(reason)

    def resume(self, reason: str) -> None:
        """Removes one reason to pause."""
        was_paused = bool(self._paused)
        self._paused.discard(reason)
        if self._paused or not was_paused:
            return
        if self.transport is not None:
            self.transport.resume_reading()
        if self._late:
            late, self._late = self._late, b""
            self.data_received(late)

    def reset(self) -> None:
        if self.transport is not None:
            # The options of uvloop's own socket object can't be set.
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
        """Writes one piece in each turn of the loop: several pieces would become one write."""
        _, data = self._queue.popleft()
        self.other.write(data)
        if self._queue:
            asyncio.get_running_loop().call_at(self._queue[0][0], self._flush)
