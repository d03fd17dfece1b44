"""Declares a store of bytes as a protocol, so that the gateway doesn't depend on where files are."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Final, Protocol

from aiohttp import web

FileData = dict[str, Any]
# The start of a file, by which its type is found.
HEAD_BYTES: Final = 8_192
# The header with an upload's secret.
SECRET: Final = "Upload-Token"


class ByteStore(Protocol):
    """The bytes of files. Methods raise AppError(unavailable) if the store can't be reached or is full."""

    async def start(self) -> None:
        """Checks that the store can be used. Raises SettingsError."""

    async def stop(self) -> None:
        """Ends what is under way."""

    async def upload(self, file_id: str, size: int, secret: str) -> dict[str, Any]:
        """Begins an upload; returns how the client uploads the bytes: an UploadSchema.

        `secret` proves that it may.
        """

    async def finish(self, file_id: str, size: int) -> bytes:
        """Keeps the uploaded bytes for good; returns their start. A repeat does nothing more.

        Raises AppError(file_not_ready) unless exactly `size` bytes were uploaded.
        """

    def local(self, file_id: str) -> AbstractAsyncContextManager[Path]:
        """The bytes of a finished file as a local file, to be read only, until the block ends.

        Raises AppError(not_found) if there are none.
        """

    async def replace(self, file_id: str, path: Path) -> None:
        """Puts a copy of the bytes at `path` in place of a finished file's; durable when it returns.

        Readers get all of the old bytes or of the new ones. Raises AppError(not_found) if the file has none.
        """

    async def put_thumb(self, file_id: str, width: int, path: Path) -> None:
        """Keeps a copy of `path`, a WebP, as the thumb of a finished file; durable when it returns.

        A repeat replaces it. Raises AppError(not_found) if the file has no bytes.
        """

    async def response(self, file: FileData, user_id: int, thumb: int | None = None) -> web.StreamResponse:
        """The answer to a user who may read the file: its bytes, or its thumb of the width `thumb`.

        It may be a redirect to the bytes. Raises AppError(not_found) if this worker knows that there
        are no bytes, and rate_limited.
        """

    async def remove(self, file_id: str) -> bool:
        """Removes all bytes of the file, uploaded in part or whole, and its thumbs.

        Returns whether there were any.
        """
