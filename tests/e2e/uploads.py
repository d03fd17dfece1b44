"""Uploads files as a client does, and reads them back as bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import aiohttp

from tests.client import BASE_PATH, User
from tests.waiting import LIMIT_S

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(100)
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
        completed = await user.call("POST", f"/files/{created['file_id']}/complete")
        assert completed.status == 200, completed
        file_id: str = created["file_id"]
        return file_id

    async def get(self, user: User | None, file_id: str, **headers: str) -> Raw:
        """Downloads a file; `user` is None for nobody."""
        bearer = user.bearer if user is not None else {}
        return await self.ask("GET", f"{BASE_PATH}/files/{file_id}", **bearer, **headers)


async def upload(user: User, content: bytes = TEXT) -> str:
    """Uploads a text file with the user's own client; returns its id."""
    return await Files(user.http, user.url).upload(user, content)
