"""The stores of files' bytes with what a client of each does: uploads by its protocol, reads by HTTP."""

from __future__ import annotations

import contextlib
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import aiohttp
from aiohttp import web

from gateway.file_settings import PART_BYTES
from gateway.files.fs_store import FsStore
from gateway.files.s3.store import S3Store
from gateway.files.store import ByteStore
from gateway.files.transfers import Transfers
from tests.s3.running import RunningS3

MAX_BYTES = 40 * 1024**2
USER = 1


class Read(NamedTuple):
    """What a client gets that reads a file, redirects followed."""

    status: int
    headers: Any
    body: bytes


class World(Protocol):
    """A store, its clients, and a look into it."""

    store: ByteStore

    async def send(self, file_id: str, content: bytes, size: int) -> None:
        """Uploads the first bytes of a file of `size` bytes, in place of any before."""

    def left(self, file_id: str) -> list[str]:
        """Returns all that there is of the file: an upload, bytes, thumbs."""


class FsWorld:
    """A folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.store = FsStore(root, "/uploads", Transfers(9, 9))

    async def send(self, file_id: str, content: bytes, size: int) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            yield content

        (self._root / "parts" / file_id).unlink(missing_ok=True)
        await self.store.append(file_id, 0, size, chunks())

    def left(self, file_id: str) -> list[str]:
        return sorted(path.name for path in self._root.rglob(f"{file_id}*"))


class S3World:
    """A bucket."""

    def __init__(self, s3: RunningS3, http: aiohttp.ClientSession, **changes: Any) -> None:
        self.s3 = s3
        self._http = http
        self.store = S3Store(s3.settings(**changes), "/uploads", MAX_BYTES)
        self._urls: dict[str, str] = {}

    async def begin(self, file_id: str, size: int) -> dict[str, Any]:
        """Begins an upload; returns how to upload."""
        return await self.store.upload(file_id, size, "secret")

    async def put(self, url: str, content: bytes) -> int:
        """Sends bytes to a signed URL; returns the status."""
        async with self._http.put(url, data=io.BytesIO(content)) as response:
            await response.read()
            return response.status

    async def send(self, file_id: str, content: bytes, size: int) -> None:
        if file_id not in self._urls:
            self._urls[file_id] = (await self.begin(file_id, size))["url"]
        await self.put(self._urls[file_id], content)

    async def send_parts(self, file_id: str, content: bytes, *numbers: int) -> None:
        """Sends these of the missing parts, or all of them."""
        for part in await self.store.missing_parts(file_id, len(content)):
            if not numbers or part["number"] in numbers:
                offset = part["offset"]
                assert await self.put(part["url"], content[offset : offset + part["size"]]) == 200

    def left(self, file_id: str) -> list[str]:
        return [key for key in self.s3.all_keys() if file_id in key]


@contextlib.asynccontextmanager
async def reader(store: ByteStore) -> AsyncIterator[Any]:
    """Yields a function that reads a file as a browser does: `read(file, thumb=None)` returns a Read."""
    asked: dict[str, Any] = {}

    async def handle(request: web.Request) -> web.StreamResponse:
        return await store.response(asked["file"], USER, asked["thumb"])

    app = web.Application()
    app.router.add_get("/", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    async with aiohttp.ClientSession() as http:

        async def read(file: dict[str, Any], thumb: int | None = None) -> Read:
            asked.update(file=file, thumb=thumb)
            async with http.get(url) as response:
                for hop in (*response.history, response):
                    assert hop.headers["Cache-Control"] == "private, no-store"
                return Read(response.status, response.headers, await response.read())

        yield read
    await runner.cleanup()


def file(file_id: str, size: int, **changes: Any) -> dict[str, Any]:
    """Returns a file as chat-api describes it."""
    given = {"name": "a.txt", "mime": "text/plain", "kind": "file", "owner_id": USER}
    return {"file_id": file_id, "size": size, **given, **changes}


assert MAX_BYTES > 2 * PART_BYTES
