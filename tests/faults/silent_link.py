"""Owns a TCP link that can fall silent: it stays open, takes what comes, and passes nothing on."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from typing import Self

CHUNK = 65_536


class SilentLink:
    """A port of its own that leads to a port of this machine."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self._target = target
        self._speaks = asyncio.Event()
        self._speaks.set()
        self._pumps: set[asyncio.Task[None]] = set()

    def silence(self) -> None:
        """From now on nothing passes; what comes in waits."""
        self._speaks.clear()

    def speak(self) -> None:
        """Passes on what waits, and all that follows."""
        self._speaks.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        for pump in (self._pump(reader, far_writer), self._pump(far_reader, writer)):
            task = asyncio.create_task(pump)
            self._pumps.add(task)
            task.add_done_callback(self._pumps.discard)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            try:
                while chunk := await reader.read(CHUNK):
                    await self._speaks.wait()
                    writer.write(chunk)
                    await writer.drain()
            finally:
                writer.close()
