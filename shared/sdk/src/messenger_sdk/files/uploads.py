"""Uploads a file as the messenger says: to the gateway, which tells how far it is, or to an S3 store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, BinaryIO

from yarl import URL

from messenger_sdk.errors import MessengerError, unreachable
from messenger_sdk.files.attempts import CHUNK_BYTES, persist, requesting
from messenger_sdk.models import Upload
from messenger_sdk.rest import Rest

_APPEND = "PATCH"
_OFFSET = "Upload-Offset"
_CONFLICT = "upload_conflict"


class Uploader:
    """Uploads the `size` bytes of `source`. What is read of it must not change meanwhile."""

    def __init__(self, rest: Rest, upload: Upload, source: BinaryIO, size: int) -> None:
        self._rest = rest
        self._url = rest.resolve(upload["url"])
        self._upload = upload
        self._source = source
        self._size = size
        self._moved = 0
        self._knows_offset = True

    async def run(self) -> None:
        """Returns when all bytes are there. Raises MessengerError."""
        if "part_bytes" in self._upload:
            attempt = self._put_missing
        elif self._upload["method"] == _APPEND:
            attempt = self._append
        else:
            attempt = self._put_whole
        await persist(attempt, lambda: self._moved)

    async def _append(self) -> None:
        """Continues where the gateway is. After a cut, only it knows where."""
        if not self._knows_offset:
            self._moved = int((await self._send("HEAD", self._url, self._headers()))[_OFFSET])
        self._knows_offset = False
        if self._moved == self._size:
            return
        headers = {**self._headers(), _OFFSET: str(self._moved)}
        try:
            await self._send(_APPEND, self._url, headers, self._read(self._moved, self._size - self._moved))
        except MessengerError as error:
            if error.code == _CONFLICT:
                # An earlier attempt, whose answer was lost, has moved on.
                raise unreachable(error) from error
            raise

    async def _put_whole(self) -> None:
        await self._put(self._upload, self._url, 0, self._size)

    async def _put_missing(self) -> None:
        while parts := await self._missing():
            for part in parts:
                await self._put(part, self._rest.resolve(part["url"]), part["offset"], part["size"])
                self._moved += 1

    async def _missing(self) -> list[Any]:
        """The next parts that aren't there: {number, offset, size, url, headers} of each."""
        async with requesting(self._rest.session, "GET", self._url, self._headers()) as response:
            parts: list[Any] = (await response.json())["parts"]
            return parts

    async def _put(self, target: Mapping[str, Any], url: URL, offset: int, size: int) -> None:
        headers = {**target["headers"], "Content-Length": str(size)}
        await self._send("PUT", url, headers, self._read(offset, size))

    async def _send(
        self, method: str, url: URL, headers: Mapping[str, str], data: AsyncIterator[bytes] | None = None
    ) -> Mapping[str, str]:
        async with requesting(self._rest.session, method, url, headers, data) as response:
            return response.headers

    def _headers(self) -> dict[str, str]:
        return {name: value for name, value in self._upload["headers"].items() if name != _OFFSET}

    async def _read(self, offset: int, size: int) -> AsyncIterator[bytes]:
        """The bytes in pieces, read in a thread: a disk may be slow."""
        await asyncio.to_thread(self._source.seek, offset)
        while size > 0:
            chunk = await asyncio.to_thread(self._source.read, min(CHUNK_BYTES, size))
            if not chunk:
                raise ValueError("the file became shorter while it was uploaded")
            size -= len(chunk)
            yield chunk
