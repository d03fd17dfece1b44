"""What a client does with files in an S3 store: at the store itself, and where the gateway sends it."""

from __future__ import annotations

import io
from typing import Any

import aiohttp

from tests.client import BASE_PATH, User
from tests.waiting import LIMIT_S, eventually


class Store:
    """What a client does at the store itself, and with the parts of an upload."""

    def __init__(self, http: aiohttp.ClientSession, gateway: str) -> None:
        self._http, self._gateway = http, gateway

    async def put(self, url: str, content: bytes) -> int:
        """Sends bytes to a signed URL; returns the status."""
        async with self._http.put(url, data=io.BytesIO(content), timeout=_timeout()) as response:
            return response.status

    async def get(self, url: str, **headers: str) -> tuple[int, Any, bytes]:
        """Reads a signed URL; returns status, headers and body."""
        async with self._http.get(url, headers=headers, timeout=_timeout()) as response:
            return response.status, response.headers.copy(), await response.read()

    async def read(self, user: User, file_id: str, route: str = "", **headers: str) -> tuple[int, Any, bytes]:
        """Reads a file as its user does, who asks again if the URL died before it was used."""
        found: list[tuple[int, Any, bytes]] = []

        async def is_answered() -> bool:
            found[:] = [await self.get(await self.url_of(user, file_id, route), **headers)]
            return found[0][0] != 403

        await eventually(is_answered)
        return found[0]

    async def parts(self, upload: Any, **headers: str) -> tuple[int, Any]:
        """Asks which parts are missing; returns the status, and the parts or the problem."""
        sent = {**upload["headers"], **headers}
        async with self._http.get(
            self._gateway + upload["url"], headers=sent, timeout=_timeout()
        ) as response:
            body = await response.json(content_type=None)
            return response.status, body.get("parts", body)

    async def url_of(self, user: User, file_id: str, route: str = "") -> str:
        """Returns where a user who may read a file is sent; `route` is `/thumb/320` for its preview."""
        path = f"{self._gateway}{BASE_PATH}/files/{file_id}{route}"
        async with self._http.get(path, headers=user.bearer, allow_redirects=False) as response:
            assert response.status == 302
            assert response.headers["Cache-Control"] == "private, no-store"
            assert await response.read() == b""
            return response.headers["Location"]


def _timeout() -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=LIMIT_S * 3)
