"""Declares a store of bytes as a protocol, so that the gateway doesn't depend on where files are."""

from __future__ import annotations

from typing import Any, Final, Protocol

from aiohttp import web

FileData = dict[str, Any]
# The start of a file, by which its type is found.
HEAD_BYTES: Final = 8_192


class ByteStore(Protocol):
    """The bytes of files. Methods raise AppError(unavailable) if the store can't be reached or is full."""

    async def start(self) -> None:
        """Checks that the store can be used. Raises SettingsError."""

    async def stop(self) -> None:
        """Ends what is under way."""

    def upload(self, file_id: str, size: int, secret: str) -> dict[str, Any]:
        """How the client uploads the bytes: an UploadSchema. `secret` proves that it may."""

    async def finish(self, file_id: str, size: int) -> bytes:
        """Keeps the uploaded bytes for good; returns their start. A repeat does nothing more.

        Raises AppError(file_not_ready) unless exactly `size` bytes are there.
        """

    async def response(self, file: FileData, user_id: int) -> web.StreamResponse:
        """The answer to a user who may read the file.

        Raises AppError(not_found) if there are no bytes, and rate_limited.
        """

    async def remove(self, file_id: str) -> bool:
        """Removes all bytes of the file, uploaded in part or whole. Returns whether there were any."""
