"""Declares the rows of files and their store as a protocol. The bytes of files are elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

# What a file has only if its examination found it, in the order of FileRow.
FOUND = ("width", "height", "blurhash", "duration_ms", "thumbs")


class FileRow(NamedTuple):
    """A file. `state` is `open` until its upload is complete.

    Then it is `pending` while it is examined, and at last `ready`, or `rejected` if it is dangerous.
    `thumbs` has the longest sides of its previews.
    """

    file_id: str
    name: str
    size: int
    mime: str
    kind: str
    state: str
    owner_id: int
    width: int | None = None
    height: int | None = None
    blurhash: str | None = None
    duration_ms: int | None = None
    thumbs: list[int] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The file's fields, without those of FOUND that it doesn't have."""
        fields = self._asdict()
        return {name: value for name, value in fields.items() if name not in FOUND or value not in (None, [])}


class ChangedFiles(NamedTuple):
    """The files of a message after the state of one has changed, at a `pos` of its own."""

    message_id: str
    conversation_id: str
    pos: int
    attachments: list[dict[str, Any]]


class Settled(NamedTuple):
    """A file whose examination has ended, and what changed for that.

    The changes are grouped by conversation, in the order of pos.
    """

    file: FileRow
    changes: list[ChangedFiles]


class FileStore(Protocol):
    """The rows of files. Every method raises AppError(unavailable) when the store can't be reached."""

    async def add(self, owner_id: int, file_id: str, name: str, size: int, mime: str, digest: str) -> None:
        """Adds an open file. One that the owner added before stays. Raises AppError(quota_exceeded)."""

    async def find(self, file_id: str, caller: int) -> FileRow | None:
        """The file if it is the caller's, or in a message that history shows them."""

    async def upload(self, file_id: str) -> tuple[FileRow, str] | None:
        """A file that is not removed, and the digest of its upload's secret."""

    async def finish(
        self, file_id: str, owner_id: int, mime: str, kind: str, lease_s: int | None
    ) -> FileRow | None:
        """Makes the owner's open file ready. One that isn't open any more stays as it is.

        With `lease_s`, the file becomes pending, and can be taken after that time.
        """

    async def take_pending(self, limit: int, lease_s: int) -> list[tuple[FileRow, int]]:
        """Up to `limit` files that are to be examined now, and how often each was taken, with this time.

        Also rejected ones whose bytes are to be removed. They can be taken again after `lease_s`.
        """

    async def put_back(self, file_id: str, after_s: int) -> None:
        """Lets a pending file be taken after this time."""

    async def settle(self, file_id: str, outcome: Mapping[str, Any]) -> Settled | None:
        """Ends the examination of a pending file; None if there is none. A repeat changes nothing.

        `outcome` has state (ready or rejected), size, mime, kind, and what was found.
        """

    async def refuse(self, file_id: str, owner_id: int) -> None:
        """Lets the owner's open file be removed at once."""

    async def take_due(self, limit: int) -> list[str]:
        """Up to `limit` files whose bytes are to be removed now. They come again unless `removed` is told."""

    async def removed(self, file_ids: Sequence[str]) -> None:
        """Notes that the bytes of these files are gone, which are removed or rejected."""
