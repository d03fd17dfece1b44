"""Owns a way in to the messenger: where its gateway is reached, and REST through it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
import orjson

from messenger_shared import tokens
from tests.documented import BASE_PATH
from tests.faults.told import Frame
from tests.faults.wire import OnEnd, OnText, Wire, open_wire

REST_S = 8.0
TOKEN_S = 86_400

GONE = (OSError, TimeoutError, aiohttp.ClientError)


class Reply(NamedTuple):
    """An answer over REST; `body` is None when there is none."""

    status: int
    body: Any


class Door:
    """One address of the gateway, direct or through a proxy."""

    def __init__(self, http: aiohttp.ClientSession, host: str, port: int, secret: bytes) -> None:
        self._http = http
        self._base = f"http://{host}:{port}{BASE_PATH}"
        self._secret = secret
        self.host = host
        self.port = port

    def token(self, user_id: int) -> str:
        """A token that outlives the run."""
        return tokens.mint(user_id, self._secret, TOKEN_S)

    async def open(self, user_id: int, token: str, on_text: OnText, on_end: OnEnd) -> Wire:
        """A socket; raises what is in GONE."""
        return await open_wire(self.host, self.port, f"{BASE_PATH}/ws/{user_id}", token, on_text, on_end)

    async def call(
        self, method: str, path: str, token: str, body: Frame | None = None, key: str | None = None
    ) -> Reply:
        """One REST call, `key` as its Idempotency-Key; raises what is in GONE."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        data = None if body is None else orjson.dumps(body)
        async with asyncio.timeout(REST_S):
            async with self._http.request(method, self._base + path, data=data, headers=headers) as response:
                text = await response.read()
        return Reply(response.status, orjson.loads(text) if text else None)


@asynccontextmanager
async def sessions() -> AsyncIterator[aiohttp.ClientSession]:
    """What REST calls share: as many connections as it takes."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        yield http
