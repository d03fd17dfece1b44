"""HTTP requests to the messenger. Failures that may pass are tried again until a deadline."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol
from urllib.parse import quote

import aiohttp
from yarl import URL

from messenger_sdk.back_off import BackOff
from messenger_sdk.errors import UNREACHABLE, MessengerError, from_response, unreachable

BASE_PATH = "/api/v1/messenger"
TIMEOUT_S = 30.0
ATTEMPT_TIMEOUT_S = 10.0
PAGE_ITEMS = 100
_FIRST_ERROR_STATUS = 300


class Credentials(Protocol):
    """Where the bearer token of a request comes from."""

    async def token(self) -> str:
        """Returns the token of the next request."""

    def refused(self) -> bool:
        """The server refused the token. Returns whether another one may be tried."""


def base_url(url: str) -> str:
    """Returns the root of the API. Adds the messenger's base path to an address without a path.

    Raises ValueError if `url` isn't an HTTP address.
    """
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"not an http or https URL: {url}")
    url = url.rstrip("/")
    return url + BASE_PATH if url.count("/") == len("//") else url


def path_of(*parts: object) -> str:
    """Returns a path of these parts, each quoted."""
    return "".join(f"/{quote(str(part), safe='')}" for part in parts)


class Rest:
    """Makes requests over one HTTP session, which begins with the first of them."""

    def __init__(self, url: str, credentials: Credentials, timeout_s: float = TIMEOUT_S) -> None:
        self._url = base_url(url)
        self._credentials = credentials
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The HTTP session. Needs a running event loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return self._session

    async def close(self) -> None:
        """Closes all connections. A later request begins a new session."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def resolve(self, url: str) -> URL:
        """Returns the address that an answer names: whole, or as a path of the same server."""
        # A signature covers the address as it is written.
        return URL(self._url).join(URL(url, encoded=True))

    def url_of(self, path: str) -> URL:
        """Returns the address of a path below the API's root."""
        return URL(self._url + path, encoded=True)

    async def authorization(self) -> dict[str, str]:
        """Returns the header with the token. Raises MessengerError if the application has none now."""
        return {"Authorization": f"Bearer {await self._credentials.token()}"}

    def refused(self) -> bool:
        """The server refused the token. Returns whether another one may be tried."""
        return self._credentials.refused()

    async def request(
        self,
        method: str,
        path: str,
        body: object = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Returns the answer's JSON, or None if it has none. Raises MessengerError.

        A request must be safe to repeat.
        """
        back_off = BackOff()
        deadline = time.monotonic() + self._timeout_s
        may_be_done = False
        while True:
            try:
                return await self._attempt(method, path, body, query, headers)
            except MessengerError as error:
                if method == "DELETE" and error.status == 404 and may_be_done:
                    return None
                if error.status == 401 and self._credentials.refused():
                    continue
                wait_s = back_off.next(error.retry_after_s)
                if not error.retryable or time.monotonic() + wait_s > deadline:
                    raise
                may_be_done = may_be_done or error.code == UNREACHABLE or (error.status or 0) >= 500
            await asyncio.sleep(wait_s)

    async def items(self, path: str, query: Mapping[str, str] | None = None) -> AsyncIterator[Any]:
        """Yields the items of all pages. Raises MessengerError."""
        wanted = dict(query or {})
        while True:
            page = await self.request("GET", path, query={"limit": str(PAGE_ITEMS), **wanted})
            for item in page["items"]:
                yield item
            if page["next_cursor"] is None:
                return
            # A cursor stands for the rest of the query too.
            wanted = {"cursor": page["next_cursor"]}

    async def _attempt(
        self,
        method: str,
        path: str,
        body: object,
        query: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
    ) -> Any:
        authorization = await self.authorization()
        try:
            async with self.session.request(
                method,
                self._url + path,
                json=body,
                params=query,
                headers={**authorization, **(headers or {})},
                # A redirect would carry the token to another address.
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=min(ATTEMPT_TIMEOUT_S, self._timeout_s)),
            ) as response:
                answer = await response.read()
        except (aiohttp.ClientError, asyncio.TimeoutError) as error:
            raise unreachable(error) from error
        if response.status >= _FIRST_ERROR_STATUS:
            raise from_response(response.status, response.headers, answer)
        return _decode(response.status, answer)


def _decode(status: int, answer: bytes) -> Any:
    if not answer:
        return None
    try:
        return json.loads(answer)
    except ValueError as error:
        raise from_response(status, {}, b"") from error
