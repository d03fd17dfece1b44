"""Keeps the bytes of files in a bucket of an S3-compatible store.

A file is the object `files/{file_id}`, its thumbs are `files/{file_id}-{width}`. An object appears as a whole
when its upload is completed, so no half file is ever readable.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from aiohttp import hdrs, web

from gateway.file_settings import PART_BYTES, S3Settings
from gateway.files.downloads import THUMB_TYPE, content_disposition, thumb_of
from gateway.files.s3.client import Changed, Missing, S3Client
from gateway.files.s3.uploads import METHOD, OBJECT_TYPE, UPLOAD_URL_S, S3Uploads, parts_of
from gateway.files.scratch import scratch_folder
from gateway.files.store import HEAD_BYTES, SECRET, FileData
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError

# Copies on this worker at once. They take disk space, of which a container has little.
COPIES_AT_ONCE: Final = 2
PRIVATE: Final = "private, no-store"


class S3Store:
    """A ByteStore in an S3 bucket. Clients learn at `{url}/{file_id}` where the parts of large files go."""

    def __init__(self, settings: S3Settings, url: str, max_bytes: int) -> None:
        self._url = url
        self._max_bytes = max_bytes
        self._lifetime_s = settings.url_lifetime_s
        self._client = S3Client(settings)
        self._uploads = S3Uploads(self._client)
        self._copies = asyncio.Semaphore(COPIES_AT_ONCE)

    async def start(self) -> None:
        """Connects. Raises SettingsError if the store refuses the key or has no such bucket."""
        await self._client.start()

    async def stop(self) -> None:
        """Closes the connections."""
        await self._client.stop()

    async def upload(self, file_id: str, size: int, secret: str) -> dict[str, Any]:
        key = _key(file_id)
        upload_id = await self._uploads.begin(key)
        if size > PART_BYTES:
            url, headers = f"{self._url}/{file_id}", {SECRET: secret}
            return {"method": METHOD, "url": url, "headers": headers, "part_bytes": PART_BYTES}
        url = await self._uploads.url(key, upload_id, parts_of(size)[0], UPLOAD_URL_S)
        return {"method": METHOD, "url": url, "headers": {}}

    async def missing_parts(self, file_id: str, size: int) -> list[dict[str, Any]]:
        """The next parts that a client has to upload: {number, offset, size, url, headers}.

        Raises AppError(not_found) if no upload is under way.
        """
        return await self._uploads.missing(_key(file_id), size)

    async def finish(self, file_id: str, size: int) -> bytes:
        start = await self._start(file_id)
        if start is None:
            # If it wasn't there to be completed, another request may have completed it meanwhile.
            await self._uploads.complete(_key(file_id), size)
            start = await self._start(file_id)
        if start is None:
            raise AppError(errors.FILE_NOT_READY)
        return start

    @contextlib.asynccontextmanager
    async def local(self, file_id: str) -> AsyncIterator[Path]:
        async with self._copies, scratch_folder() as folder:
            path = folder / "copy"
            await self._download(file_id, path)
            yield path

    async def replace(self, file_id: str, path: Path) -> None:
        await self._put(file_id, _key(file_id), path, OBJECT_TYPE)

    async def put_thumb(self, file_id: str, width: int, path: Path) -> None:
        await self._put(file_id, _thumb_key(file_id, width), path, THUMB_TYPE)

    async def response(self, file: FileData, user_id: int, thumb: int | None = None) -> web.StreamResponse:
        served, key = file, _key(file["file_id"])
        if thumb is not None:
            served, key = thumb_of(file), _thumb_key(file["file_id"], thumb)
        url = await self._client.url(
            "get_object",
            self._lifetime_s,
            Key=key,
            ResponseContentType=served["mime"],
            ResponseContentDisposition=content_disposition(
                served["name"], is_inline=served["kind"] != "file"
            ),
            ResponseCacheControl=PRIVATE,
        )
        return web.Response(status=302, headers={hdrs.LOCATION: url, hdrs.CACHE_CONTROL: PRIVATE})

    async def remove(self, file_id: str) -> bool:
        # First the uploads, so that none of them becomes an object afterwards.
        were_there = await self._uploads.abort(_key(file_id))
        answer = await self._client.call("list_objects_v2", Prefix=_key(file_id))
        keys = [item["Key"] for item in answer.get("Contents", ())]
        for key in keys:
            await self._client.call("delete_object", Key=key)
        return were_there or bool(keys)

    async def _start(self, file_id: str) -> bytes | None:
        """The first bytes of a file; None if it isn't there."""
        try:
            return await self._client.read(_key(file_id), HEAD_BYTES)
        except Missing:
            return None

    async def _download(self, file_id: str, path: Path) -> None:
        try:
            await self._client.download(_key(file_id), path, self._max_bytes)
        except Missing:
            raise AppError(errors.NOT_FOUND) from None
        except Changed:
            # Larger than any file that was uploaded since that limit was set.
            raise AppError(errors.FILE_TOO_LARGE) from None

    async def _put(self, file_id: str, key: str, path: Path, mime: str) -> None:
        try:
            # The bytes of a file that was removed meanwhile would never be removed again.
            await self._client.call("head_object", Key=_key(file_id))
        except Missing:
            raise AppError(errors.NOT_FOUND) from None
        await self._client.put(key, path, mime)


def _key(file_id: str) -> str:
    return f"files/{file_id}"


def _thumb_key(file_id: str, width: int) -> str:
    return f"{_key(file_id)}-{width}"
