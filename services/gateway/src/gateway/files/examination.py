"""Finds out whether one file is clean, and what it shows."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from gateway.files.scratch import scratch_folder
from gateway.files.store import ByteStore, FileData
from gateway.media.processor import Media, MediaBusy, MediaRefused
from gateway.media.scanner import ScannerUnavailable
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.schemas.files import READY, REJECTED

log = logging.getLogger(__name__)

# What has something to show or to play. Without a scanner, other kinds are ready at once.
_WITH_MEDIA: Final = ("image", "audio", "video")


class Later(Exception):
    """The file can't be examined now."""


class Outcome(NamedTuple):
    """How an examination ended: a name for the metrics, and fields of ProcessedRequest."""

    name: str
    fields: dict[str, Any]


class Previews(Protocol):
    """Makes previews: a MediaProcessor."""

    async def process(self, source: Path, mime: str, kind: str, directory: Path) -> Media:
        """What the file shows. Raises MediaRefused, MediaBusy."""


class Scanning(Protocol):
    """Looks for viruses: a Scanner."""

    async def is_clean(self, path: Path) -> bool:
        """Raises ScannerUnavailable."""


class Examination:
    """Examines files with a scanner, if there is one, and makes their previews.

    `is_required`: what the scanner, if there is one, hasn't seen is never ready.
    """

    def __init__(
        self, store: ByteStore, previews: Previews, scanner: Scanning | None, *, is_required: bool
    ) -> None:
        self._store = store
        self._previews = previews
        self._scanner = scanner
        self._is_required = is_required and scanner is not None

    def must_examine(self, kind: str) -> bool:
        """Whether there is anything to find out about a file of this kind."""
        return self._scanner is not None or kind in _WITH_MEDIA

    async def examine(self, file: FileData) -> Outcome:
        """Examines the file, and keeps its previews. Raises Later, and AppError if the store fails."""
        async with self._store.local(file["file_id"]) as path, scratch_folder() as folder:
            if not await self._is_clean(path):
                log.warning("file %s of user %s is rejected", file["file_id"], file["owner_id"])
                return Outcome("rejected", {"state": REJECTED, "size": file["size"], "kind": file["kind"]})
            size = path.stat().st_size
            try:
                media = await self._previews.process(path, file["mime"], file["kind"], folder)
            except MediaRefused as reason:
                log.info("file %s has no preview: %s", file["file_id"], reason)
                return Outcome("unreadable", {"state": READY, "size": size, "kind": "file"})
            except MediaBusy as reason:
                raise Later(str(reason)) from reason
            if media.cleaned is not None:
                size = media.cleaned.stat().st_size
                await self._store.replace(file["file_id"], media.cleaned)
            for side, thumb in media.thumbs.items():
                await self._store.put_thumb(file["file_id"], side, thumb)
            return Outcome("ready", {"state": READY, "size": size, "kind": file["kind"], **_found(media)})

    async def give_up(self, file: FileData) -> Outcome:
        """What becomes of a file that was tried too often: rejected if it had to be scanned or can't be read.

        Otherwise it is ready, without a preview.
        """
        try:
            async with self._store.local(file["file_id"]) as path:
                size = path.stat().st_size
            state = REJECTED if self._is_required else READY
        except AppError as error:
            if error.kind not in (errors.NOT_FOUND, errors.FILE_TOO_LARGE):
                raise
            size, state = file["size"], REJECTED
        log.error("the examination of file %s is given up: it is %s", file["file_id"], state)
        return Outcome("given_up", {"state": state, "size": size, "kind": "file"})

    async def _is_clean(self, path: Path) -> bool:
        if self._scanner is None:
            return True
        try:
            return await self._scanner.is_clean(path)
        except ScannerUnavailable as reason:
            if self._is_required:
                raise Later(str(reason)) from reason
            return True


def _found(media: Media) -> dict[str, Any]:
    found = {
        "width": media.width,
        "height": media.height,
        "blurhash": media.blurhash,
        "duration_ms": media.duration_ms,
        "thumbs": sorted(media.thumbs) or None,
    }
    return {name: value for name, value in found.items() if value is not None}
