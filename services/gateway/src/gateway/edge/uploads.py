"""Takes the bytes of uploads by the core protocol of tus 1.0: HEAD tells the offset, PATCH continues there.

With an S3 store, GET tells instead where the parts of an upload go. Who has the upload's secret may upload.
Nothing else opens these doors, so that a page may hand the work over.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import socket
from collections.abc import AsyncIterator
from typing import Any, Final, Protocol

from aiohttp import hdrs, web

from gateway.files.fs_store import OFFSET, FsStore
from gateway.files.operations import digest_of
from gateway.files.store import SECRET, FileData
from gateway.files.transfers import Transfers
from gateway.metrics import UPLOADED_BYTES
from gateway.sockets.commands import ask
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import MAX_INTEGER, SERVER, parse_uuid
from messenger_shared.contract.operations.internal import files as rows
from messenger_shared.contract.schemas.files import OPEN
from messenger_shared.rpc.client import RpcClient

CHUNK_BYTES: Final = 64 * 1024
# What the kernel holds of a connection comes in one piece, which waits in memory until the disk has it.
RECEIVE_BUFFER_BYTES: Final = 64 * 1024
# A client that sends less than this in FLOOR_S is cut off; it may continue.
FLOOR_BYTES: Final = 64 * 1024
FLOOR_S: Final = 15.0
# Anybody may ask with a wrong secret, which only chat-api can tell.
CHECKED_AT_ONCE: Final = 4
LENGTH: Final = "Upload-Length"
_PROTOCOL: Final = {"Tus-Resumable": "1.0.0"}
_NOT_ENCODED: Final = "identity"


class PartStore(Protocol):
    """A store to which clients themselves send the parts of files."""

    async def missing_parts(self, file_id: str, size: int) -> list[dict[str, Any]]:
        """The next parts that a client has to upload. Raises AppError(not_found)."""


class _Uploads:
    """Finds the uploads that requests are about."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc
        self._checks = asyncio.Semaphore(CHECKED_AT_ONCE)

    async def file(self, request: web.Request) -> FileData:
        """The file of the request's path. Raises AppError(unauthorized, not_found)."""
        secret = request.headers.get(SECRET)
        if secret is None:
            raise AppError(errors.UNAUTHORIZED, details={SECRET: ["Missing."]})
        file_id = parse_uuid(request.match_info["file_id"])
        if file_id is None:
            raise AppError(errors.NOT_FOUND)
        async with self._checks:
            file: FileData = await ask(self._rpc, rows.UPLOAD, {"file_id": file_id}, SERVER)
        if not hmac.compare_digest(digest_of(secret), file["digest"]):
            raise AppError(errors.NOT_FOUND)
        return file


class PartsDoor:
    """The handler of an upload's path where the bytes go to another server."""

    def __init__(self, rpc: RpcClient, store: PartStore, transfers: Transfers) -> None:
        self._uploads = _Uploads(rpc)
        self._store = store
        self._transfers = transfers

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Tells the next parts that aren't there: {parts: [{number, offset, size, url, headers}]}."""
        file = await self._uploads.file(request)
        self._transfers.check(file["owner_id"])
        with self._transfers.counted(file["owner_id"]):
            is_open = file["state"] == OPEN
            parts = await self._store.missing_parts(file["file_id"], file["size"]) if is_open else []
        return web.json_response({"parts": parts})


class UploadDoor:
    """The handlers of an upload's path, and all uploads under way on this worker."""

    def __init__(self, rpc: RpcClient, store: FsStore, transfers: Transfers) -> None:
        self._uploads = _Uploads(rpc)
        self._store = store
        self._transfers = transfers
        self._deadlines: set[asyncio.Timeout] = set()
        self._is_stopping = False

    async def stop(self) -> None:
        """Ends all uploads. Their clients continue at other gateways."""
        self._is_stopping = True
        for deadline in self._deadlines:
            deadline.reschedule(asyncio.get_running_loop().time())

    async def head(self, request: web.Request) -> web.StreamResponse:
        """Tells how many bytes are there, of how many."""
        file = await self._uploads.file(request)
        offset = await self._offset(file)
        return web.Response(headers={OFFSET: str(offset), LENGTH: str(file["size"]), **_PROTOCOL})

    async def patch(self, request: web.Request) -> web.StreamResponse:
        """Appends the body at the offset that the client names; tells how many bytes are there then."""
        if request.headers.get(hdrs.CONTENT_ENCODING, _NOT_ENCODED).strip().lower() != _NOT_ENCODED:
            raise web.HTTPUnsupportedMediaType
        offset = _offset_in(request)
        file = await self._uploads.file(request)
        if file["state"] != OPEN:
            raise AppError(errors.UPLOAD_CONFLICT)
        if offset + (request.content_length or 0) > file["size"]:
            raise AppError(errors.FILE_TOO_LARGE)
        self._transfers.check(file["owner_id"])
        _limit_receive_buffer(request)
        with self._transfers.counted(file["owner_id"]):
            offset = await self._receive(request, file, offset)
        return web.Response(status=204, headers={OFFSET: str(offset), **_PROTOCOL})

    async def _receive(self, request: web.Request, file: FileData, offset: int) -> int:
        """Raises AppError, and HTTPRequestTimeout for a client that is too slow."""
        try:
            async with self._deadline() as deadline:
                chunks = _chunks(request, deadline)
                return await self._store.append(file["file_id"], offset, file["size"], chunks)
        except TimeoutError:
            if self._is_stopping:
                raise AppError(errors.UNAVAILABLE) from None
            raise web.HTTPRequestTimeout from None
        except (web.RequestPayloadError, ConnectionError):
            # The client is gone, or its chunked encoding is broken. What came stays.
            raise AppError(errors.INVALID_FRAME) from None

    @contextlib.asynccontextmanager
    async def _deadline(self) -> AsyncIterator[asyncio.Timeout]:
        async with asyncio.timeout(0 if self._is_stopping else FLOOR_S) as deadline:
            self._deadlines.add(deadline)
            try:
                yield deadline
            finally:
                self._deadlines.discard(deadline)

    async def _offset(self, file: FileData) -> int:
        return file["size"] if file["state"] != OPEN else await self._store.offset(file["file_id"])


def _limit_receive_buffer(request: web.Request) -> None:
    connection = request.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)


async def _chunks(request: web.Request, deadline: asyncio.Timeout) -> AsyncIterator[bytes]:
    """The body in pieces. Extends the deadline as long as they come fast enough."""
    loop, received = asyncio.get_running_loop(), 0
    async for chunk in request.content.iter_chunked(CHUNK_BYTES):
        UPLOADED_BYTES.inc(len(chunk))
        received += len(chunk)
        if received >= FLOOR_BYTES:
            received = 0
            deadline.reschedule(loop.time() + FLOOR_S)
        yield chunk


def _offset_in(request: web.Request) -> int:
    text = request.headers.get(OFFSET, "")
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= MAX_INTEGER):
        raise AppError(
            errors.INVALID_FRAME, details={OFFSET: ["Must be the number of bytes that are there."]}
        )
    return int(text)
