"""Uploads files as a client does, and reads them back as bytes."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import aiohttp

from tests.client import BASE_PATH, User
from tests.waiting import LIMIT_S, eventually


def png(width: int, height: int, *chunks: bytes) -> bytes:
    """A white picture, with more chunks (their names and contents)."""
    head = b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\0\0\0\0"
    pixels = b"IDAT" + zlib.compress((b"\0" + b"\xff" * width) * height)
    parts = [
        (len(chunk) - 4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
        for chunk in (head, *chunks, pixels, b"IEND")
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


# Too small for previews, and large enough for the smaller one.
PNG = png(20, 10)
PICTURE = png(320, 200)
TEXT = b"a file's text\n" * 100


class Raw(NamedTuple):
    """An answer with a body of any kind."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Files:
    """What a client does with files, at one address of the messenger."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http, self._url = http, url

    async def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Raw:
        """Makes any request. Underscores in the names of headers stand for hyphens."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        timeout = aiohttp.ClientTimeout(total=LIMIT_S)
        async with self._http.request(
            method, self._url + path, data=body, headers=sent, timeout=timeout
        ) as response:
            return Raw(response.status, response.headers.copy(), await response.read())

    async def create(self, user: User, size: int, name: str = "a.txt", mime: str = "text/plain") -> Any:
        """Begins an upload; returns the answer's body."""
        reply = await user.post("/files", {"name": name, "size": size, "mime": mime})
        assert reply.status == 201, reply
        return reply.body

    async def put(self, upload: Mapping[str, Any], content: bytes, offset: int = 0) -> Raw:
        """Sends bytes as the answer to a creation says, from this offset on."""
        headers = {**upload["headers"], "Upload-Offset": str(offset)}
        return await self.ask(upload["method"], upload["url"], content, **headers)

    async def upload(self, user: User, content: bytes = TEXT, name: str = "a.txt") -> str:
        """Uploads a file up to its completion; returns its id."""
        created = await self.create(user, len(content), name)
        assert (await self.put(created["upload"], content)).status == 204
        file_id: str = created["file_id"]
        await self.complete(user, file_id)
        return file_id

    async def complete(self, user: User, file_id: str) -> Any:
        """Completes an upload, and waits until the file is examined; returns the file."""
        file: Any = None

        async def is_examined() -> bool:
            nonlocal file
            reply = await user.call("POST", f"/files/{file_id}/complete")
            assert reply.status == 200, reply
            file = reply.body
            return bool(file["state"] != "pending")

        await eventually(is_examined)
        return file

    async def get(self, user: User | None, file_id: str, thumb: int | None = None, **headers: str) -> Raw:
        """Downloads a file, or a preview of it; `user` is None for nobody."""
        path = f"{BASE_PATH}/files/{file_id}" + (f"/thumb/{thumb}" if thumb is not None else "")
        return await self.ask("GET", path, **(user.bearer if user is not None else {}), **headers)


async def upload(user: User, content: bytes = TEXT) -> str:
    """Uploads a text file with the user's own client; returns its id."""
    return await Files(user.http, user.url).upload(user, content)
