"""Serves files from a folder so that no browser runs them: with ranges, and as downloads unless harmless."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import quote

from aiohttp import hdrs, web

from gateway.files.store import FileData
from gateway.files.transfers import Transfers
from messenger_shared.runtime.http_server import ANSWER_TIMEOUT

CHUNK_BYTES: Final = 64 * 1024
# Who reads more slowly than this on average is cut off.
SLOWEST_BYTES_PER_S: Final = 32 * 1024
LEAST_S: Final = 60.0
THUMB_TYPE: Final = "image/webp"
# Even a document that a browser opens on its own runs no script, and loads nothing.
_POLICY: Final = "sandbox; default-src 'none'; frame-ancestors 'none'"


class Download(web.FileResponse):
    """A response with a file's bytes. It counts as a transfer of the user's while they are sent."""

    def __init__(self, path: Path, file: FileData, user_id: int, transfers: Transfers) -> None:
        super().__init__(path, chunk_size=CHUNK_BYTES, headers=_headers(file))
        self._user_id = user_id
        self._transfers = transfers
        self[ANSWER_TIMEOUT] = LEAST_S + file["size"] / SLOWEST_BYTES_PER_S

    async def prepare(self, request: web.BaseRequest) -> Any:
        """Sends the response."""
        with self._transfers.counted(self._user_id):
            return await super().prepare(request)


def thumb_of(file: FileData) -> FileData:
    """What a thumb of the file is served as."""
    return {**file, "name": f"{PurePosixPath(file['name']).stem}.webp", "mime": THUMB_TYPE, "kind": "image"}


def _headers(file: FileData) -> dict[str, str]:
    return {
        hdrs.CONTENT_TYPE: file["mime"],
        hdrs.CONTENT_DISPOSITION: content_disposition(file["name"], is_inline=file["kind"] != "file"),
        hdrs.CACHE_CONTROL: "private, no-store",
        "Content-Security-Policy": _POLICY,
        "X-Content-Type-Options": "nosniff",
    }


def content_disposition(name: str, *, is_inline: bool) -> str:
    """The header of RFC 6266: the name as ASCII for old clients, and whole in UTF-8."""
    safe = name.replace("/", "_").replace("\\", "_")
    plain = "".join(char if " " <= char <= "~" and char not in '"%' else "_" for char in safe)
    kind = "inline" if is_inline else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}"
