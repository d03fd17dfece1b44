"""A relay that cuts connections once many bytes have passed, as a bad network does with large files."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

_PIECE_BYTES = 16 * 1024


class CuttingRelay:
    """Forwards to a port. Cuts each connection after `bytes_each` bytes in one direction, `times` in all."""

    def __init__(self, target: int, bytes_each: int, times: int) -> None:
        self.url = ""
        self.cuts = 0
        self._target = target
        self._bytes_each = bytes_each
        self._times = times

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        ways = [
            asyncio.create_task(self._forward(reader, far_writer)),
            asyncio.create_task(self._forward(far_reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for end in (writer, far_writer):
                end.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        passed = 0
        while piece := await reader.read(_PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
            passed += len(piece)
            if passed > self._bytes_each and self.cuts < self._times:
                self.cuts += 1
                return


@contextlib.asynccontextmanager
async def cutting(target: int, bytes_each: int, times: int) -> AsyncIterator[CuttingRelay]:
    """Yields a relay to `target`."""
    relay = CuttingRelay(target, bytes_each, times)
    async with await asyncio.start_server(relay.serve, "127.0.0.1", 0) as server:
        relay.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield relay
