"""Keeps the bytes of files in a folder, which all gateways share.

`parts` has what is uploaded so far, `ready` the files that are complete, `thumbs` small pictures of these. A
file moves out of `parts` when all of it is on the disk, so no half file is ever readable. Who writes or moves
a part holds its lock.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

from aiohttp import web

from gateway.files.downloads import Download, thumb_of
from gateway.files.part import Part
from gateway.files.store import HEAD_BYTES, SECRET, FileData
from gateway.files.transfers import Transfers
from gateway.metrics import FILE_STORE_FAILURES
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.settings.environment import SettingsError

log = logging.getLogger(__name__)

# A slow disk keeps these threads busy, and never the event loop.
THREADS: Final = 4
# An earlier request for the same upload may still be noticing that its client is gone.
LOCK_WAIT_S: Final = 5.0
LOCK_RETRY_S: Final = 0.05
RETRY_AFTER_MS: Final = 5_000
METHOD: Final = "PATCH"
OFFSET: Final = "Upload-Offset"
BODY_TYPE: Final = "application/offset+octet-stream"
# What the names of parts end with that aren't uploads, but copies.
NEW: Final = ".new"
NEW_THUMB: Final = ".thumb"
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

T = TypeVar("T")


class FsStore:
    """A ByteStore in the folder `root`. Clients upload to `{url}/{file_id}`."""

    def __init__(self, root: Path, url: str, downloads: Transfers) -> None:
        self._root = root
        self._url = url
        self._downloads = downloads
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="files")
        # Parts that are being opened: whoever asked may not wait for them any more.
        self._opening: set[asyncio.Future[Part | None]] = set()

    async def start(self) -> None:
        """Makes the folders. Raises SettingsError if they can't be written to."""
        try:
            await self._run(self._make_folders)
        except AppError:
            raise SettingsError(f"the files' folder {self._root} can't be written to") from None

    async def stop(self) -> None:
        """Ends the threads once they have done what they are doing."""
        if self._opening:
            await asyncio.wait(self._opening, timeout=LOCK_WAIT_S)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def upload(self, file_id: str, size: int, secret: str) -> dict[str, Any]:
        headers = {OFFSET: "0", SECRET: secret, "Content-Type": BODY_TYPE}
        return {"method": METHOD, "url": f"{self._url}/{file_id}", "headers": headers}

    async def offset(self, file_id: str) -> int:
        """How many bytes of an upload are there."""
        return await self._run(lambda: _size(self._part(file_id)) or _size(self._ready(file_id)))

    async def append(self, file_id: str, offset: int, size: int, chunks: AsyncIterator[bytes]) -> int:
        """Appends to an upload of `size` bytes in total; returns how many bytes are there.

        Raises AppError: upload_conflict unless it continues at `offset` and nobody else continues it;
        file_too_large for more than `size` bytes; unavailable if the disk is full, which ends the upload.
        """
        part = await self._open(file_id)
        try:
            if offset != await self._run(part.size):
                raise AppError(errors.UPLOAD_CONFLICT)
            async for chunk in chunks:
                if offset + len(chunk) > size:
                    raise AppError(errors.FILE_TOO_LARGE)
                await self._write(file_id, part, chunk, offset)
                offset += len(chunk)
            return offset
        finally:
            await asyncio.shield(self._run(part.close))

    async def finish(self, file_id: str, size: int) -> bytes:
        return await self._run(lambda: self._finish(file_id, size))

    @contextlib.asynccontextmanager
    async def local(self, file_id: str) -> AsyncIterator[Path]:
        path = self._ready(file_id)
        await self._check_is_file(path)
        yield path

    async def replace(self, file_id: str, path: Path) -> None:
        await self._put(file_id, path, NEW, self._ready(file_id))

    async def put_thumb(self, file_id: str, width: int, path: Path) -> None:
        await self._put(file_id, path, NEW_THUMB, self._thumb(file_id, width))

    async def response(self, file: FileData, user_id: int, thumb: int | None = None) -> web.StreamResponse:
        self._downloads.check(user_id)
        file_id = file["file_id"]
        path = self._ready(file_id) if thumb is None else self._thumb(file_id, thumb)
        await self._check_is_file(path)
        return Download(path, file if thumb is None else thumb_of(file), user_id, self._downloads)

    async def remove(self, file_id: str) -> bool:
        return any(await self._run(lambda: [_remove(path) for path in self._paths(file_id)]))

    async def _run(self, work: Callable[[], T]) -> T:
        """Runs work on the disk in a thread. An error of the disk becomes AppError(unavailable)."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except OSError as error:
            FILE_STORE_FAILURES.labels("disk").inc()
            log.error("the files' folder: %s", error.strerror)
            raise AppError(errors.UNAVAILABLE, retry_after_ms=RETRY_AFTER_MS) from error

    async def _check_is_file(self, path: Path) -> None:
        if not await self._run(path.is_file):
            log.error("the bytes of %s are missing", path.name)
            raise AppError(errors.NOT_FOUND)

    async def _put(self, file_id: str, source: Path, suffix: str, target: Path) -> None:
        """Copies `source` to `target`, by a part whose name ends with `suffix`."""
        # The bytes of a file that was removed meanwhile would never be removed again.
        await self._check_is_file(self._ready(file_id))
        part = await self._open(file_id + suffix)
        try:
            await self._run(lambda: part.copy(source))
            await self._run(lambda: part.move(target))
        except BaseException:
            await asyncio.shield(self._run(part.remove))
            raise
        finally:
            await asyncio.shield(self._run(part.close))

    async def _write(self, file_id: str, part: Part, chunk: bytes, offset: int) -> None:
        try:
            await self._run(lambda: part.write(chunk, offset))
        except AppError as error:
            if isinstance(error.__cause__, OSError) and error.__cause__.errno in _FULL:
                # What is there of it takes the room of others.
                await self.remove(file_id)
            raise

    async def _open(self, file_id: str) -> Part:
        """Raises AppError(upload_conflict) if another request has the part for too long."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + LOCK_WAIT_S
        while (part := await self._open_once(file_id)) is None:
            if loop.time() > deadline:
                raise AppError(errors.UPLOAD_CONFLICT, retry_after_ms=RETRY_AFTER_MS)
            await asyncio.sleep(LOCK_RETRY_S)
        return part

    async def _open_once(self, file_id: str) -> Part | None:
        opening = asyncio.ensure_future(self._run(lambda: Part.open(self._part(file_id), create=True)))
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            # The thread goes on, and what it opens would stay locked.
            opening.add_done_callback(_close_unused)
            raise

    def _finish(self, file_id: str, size: int) -> bytes:
        ready = self._ready(file_id)
        # Once it is ready, other bytes may have replaced it.
        if not ready.exists():
            part = Part.open(self._part(file_id), create=False)
            if part is None:
                raise AppError(errors.FILE_NOT_READY)
            try:
                if part.size() != size:
                    raise AppError(errors.FILE_NOT_READY)
                part.move(ready)
            finally:
                part.close()
        with ready.open("rb") as file:
            return file.read(HEAD_BYTES)

    def _make_folders(self) -> None:
        for folder in ("parts", "ready", "thumbs"):
            (self._root / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = self._root / f"probe-{os.getpid()}"
        probe.write_bytes(b"")
        # Another gateway with the same process id may have been faster.
        probe.unlink(missing_ok=True)

    def _part(self, file_id: str) -> Path:
        return self._root / "parts" / file_id

    def _ready(self, file_id: str) -> Path:
        # An id ends with random digits, so the folders grow alike.
        return self._root / "ready" / file_id[-2:] / file_id

    def _thumb(self, file_id: str, width: int) -> Path:
        return self._root / "thumbs" / file_id[-2:] / f"{file_id}-{width}"

    def _paths(self, file_id: str) -> list[Path]:
        """Everything that may be of the file."""
        thumbs = (self._root / "thumbs" / file_id[-2:]).glob(f"{file_id}-*")
        parts = [self._part(file_id + suffix) for suffix in ("", NEW, NEW_THUMB)]
        return [*parts, self._ready(file_id), *thumbs]


def _size(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_size
    return 0


def _remove(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _close_unused(opening: asyncio.Future[Part | None]) -> None:
    if not opening.cancelled() and opening.exception() is None and (part := opening.result()) is not None:
        part.close()
