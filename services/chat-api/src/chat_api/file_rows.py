"""Declares the rows of files and their store as a protocol. The bytes of files are elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class FileRow(NamedTuple):
    """A file. `state` is `open` until its upload is complete, then `ready`."""

    file_id: str
    name: str
    size: int
    mime: str
    kind: str
    state: str
    owner_id: int


class FileStore(Protocol):
    """The rows of files. Every method raises AppError(unavailable) when the store can't be reached."""

    async def add(self, owner_id: int, file_id: str, name: str, size: int, mime: str, digest: str) -> None:
        """Adds an open file. One that the owner added before stays. Raises AppError(quota_exceeded)."""

    async def find(self, file_id: str, caller: int) -> FileRow | None:
        """The file if it is the caller's, or in a message that history shows them."""

    async def upload(self, file_id: str) -> tuple[FileRow, str] | None:
        """A file that is not removed, and the digest of its upload's secret."""

    async def finish(self, file_id: str, owner_id: int, mime: str, kind: str) -> FileRow | None:
        """Makes the owner's open file ready. One that is ready stays as it is."""

    async def refuse(self, file_id: str, owner_id: int) -> None:
        """Lets the owner's open file be removed at once."""

    async def take_due(self, limit: int) -> list[str]:
        """Up to `limit` files whose bytes are to be removed now. They come again unless `removed` is told."""

    async def removed(self, file_ids: Sequence[str]) -> None:
        """Notes that the bytes of these files are gone."""
