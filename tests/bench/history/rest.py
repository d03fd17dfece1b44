"""The measured operations through the whole product: REST, gateway, bus, chat-api."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import aiohttp

from messenger_shared.contract import tokens
from tests.bench.history.rows import NEVER_LOOKED
from tests.bench.history.samples import LIMIT, Sample, Samples
from tests.bench.programs import BenchError
from tests.bench.servers import Server

_BASE: Final = "/api/v1/messenger"
_TOKEN_TTL_S: Final = 6 * 3_600
_DEADLINE: Final = aiohttp.ClientTimeout(total=30)
_LIST_PAGES: Final = 5


class Rest:
    """REST calls to one stack."""

    name = "REST"

    def __init__(self, session: aiohttp.ClientSession, server: Server, places: Samples) -> None:
        self._session = session
        self._headers = {
            user: {"Authorization": f"Bearer {tokens.mint(user, server.secret, _TOKEN_TTL_S)}"}
            for user in places.users
        }
        self._deep: dict[int, str] = {}

    def operations(self) -> dict[str, Callable[[Sample], Awaitable[object]]]:
        """Returns the operations by name: the same as in the stores, where REST has them."""
        return {
            "page, newest": lambda p: self._get(p.user, f"/conversations/{p.conversation.id}/messages"),
            "page, newest of the largest": lambda p: self._get(
                p.user, f"/conversations/{p.largest.id}/messages"
            ),
            "page, deep in the largest": lambda p: self._get(
                p.user, f"/conversations/{p.largest.id}/messages", before_seq=p.middle
            ),
            "list, first page": lambda p: self._get(p.user, "/conversations"),
            "list, sixth page": lambda p: self._get(p.user, "/conversations", cursor=self._deep[p.user]),
            "sync": lambda p: self._get(p.user, "/sync"),
            "unread": lambda p: self._read(p.user, p.conversation.id),
            "unread, nothing read": lambda p: self._read(NEVER_LOOKED, p.largest.id),
        }

    async def walk(self, user: int) -> None:
        """Finds the cursor of the user's sixth page of conversations."""
        cursor: dict[str, str] = {}
        for _ in range(_LIST_PAGES):
            page = await self._get(user, "/conversations", **cursor)
            cursor = {"cursor": page["next_cursor"]}
        self._deep[user] = cursor["cursor"]

    async def _get(self, user: int, path: str, **query: Any) -> Any:
        return await self._ask("GET", user, path, params={"limit": LIMIT, **query})

    async def _read(self, user: int, conversation_id: str) -> Any:
        return await self._ask("PUT", user, f"/conversations/{conversation_id}/read", json={"seq": 1})

    async def _ask(self, method: str, user: int, path: str, **rest: Any) -> Any:
        headers = self._headers[user]
        async with self._session.request(method, _BASE + path, headers=headers, **rest) as response:
            if response.status != 200:
                raise BenchError(f"{method} {path} gave {response.status}: {(await response.text())[:300]}")
            return await response.json()


@contextlib.asynccontextmanager
async def open_rest(server: Server, places: Samples) -> AsyncIterator[Rest]:
    """Yields REST access to `server`."""
    async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}", timeout=_DEADLINE) as session:
        rest = Rest(session, server, places)
        for user in places.users:
            await rest.walk(user)
        yield rest
