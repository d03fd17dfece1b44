"""One address of a gateway: opens sockets there and makes REST calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
import orjson

from messenger_shared.contract import tokens
from tests.documented import BASE_PATH
from tests.faults.actors.wire import OnEnd, OnText, Wire, open_wire
from tests.faults.record.events import Frame

REST_S = 8.0
TOKEN_S = 86_400

GONE = (OSError, TimeoutError, aiohttp.ClientError)


class Reply(NamedTuple):
    """An answer over REST; `body` is None when there is none."""

    status: int
    body: Any


class Transfer(NamedTuple):
    """An answer with a body of any kind."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def reply(self) -> Reply:
        """Reads the body as JSON."""
        return Reply(self.status, orjson.loads(self.body) if self.body else None)


class GatewayClient:
    """One address of the gateway, direct or through a proxy."""

    def __init__(self, http: aiohttp.ClientSession, host: str, port: int, secret: bytes) -> None:
        self._http = http
        self._origin = f"http://{host}:{port}"
        self._secret = secret
        self.host = host
        self.port = port

    def token(self, user_id: int) -> str:
        """Returns a token that outlives the run."""
        return tokens.mint(user_id, self._secret, TOKEN_S)

    async def open(self, user_id: int, token: str, on_text: OnText, on_end: OnEnd) -> Wire:
        """Opens a socket; raises the exceptions in GONE."""
        return await open_wire(self.host, self.port, f"{BASE_PATH}/ws/{user_id}", token, on_text, on_end)

    async def call(
        self, method: str, path: str, token: str, body: Frame | None = None, key: str | None = None
    ) -> Reply:
        """Makes one REST call with `key` as its Idempotency-Key; raises the exceptions in GONE."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        data = None if body is None else orjson.dumps(body)
        return (await self.transfer(method, BASE_PATH + path, headers, data)).reply()

    async def download(self, file_id: str, token: str) -> Transfer:
        """Asks for the bytes of a file; raises the exceptions in GONE."""
        headers = {"Authorization": f"Bearer {token}"}
        return await self.transfer("GET", f"{BASE_PATH}/files/{file_id}", headers)

    async def transfer(
        self, method: str, path: str, headers: Mapping[str, str], data: bytes | None = None
    ) -> Transfer:
        """Makes one request for a whole path; raises the exceptions in GONE."""
        async with asyncio.timeout(REST_S):
            async with self._http.request(
                method, self._origin + path, data=data, headers=headers
            ) as response:
                return Transfer(response.status, response.headers, await response.read())


@asynccontextmanager
async def sessions() -> AsyncIterator[aiohttp.ClientSession]:
    """Yields the HTTP session that all REST calls share, without a limit on its connections."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        yield http
