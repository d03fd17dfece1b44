"""Searches over REST, one after the other, and measures each."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from messenger_shared.contract import tokens
from tests.bench.history.measure import percentile
from tests.bench.programs import BenchError
from tests.bench.search.queries import Kind
from tests.bench.search.shape import Searcher
from tests.bench.servers import Server

P50_MAX_MS: Final = 20.0
P99_MAX_MS: Final = 300.0
_BASE: Final = "/api/v1/messenger"
_TOKEN_TTL_S: Final = 6 * 3_600
_DEADLINE: Final = aiohttp.ClientTimeout(total=30)
_AGAIN: Final = (429, 503, 504)
# A user may search five times a second.
_PAUSE_S: Final = 0.21


@dataclass(frozen=True, slots=True)
class Measured:
    """The searches of one kind by users in so many conversations. `state` is how warm the caches were."""

    kind: str
    conversations: int
    state: str
    ms: Sequence[float]
    partial: int
    hits: int
    # Those that were unavailable or refused for the moment; their times don't count.
    failed: int = 0

    @property
    def p50(self) -> float:
        """Returns the median, in milliseconds."""
        return percentile(self.ms or [math.nan], 50)

    @property
    def p99(self) -> float:
        """Returns the 99th percentile, in milliseconds."""
        return percentile(self.ms or [math.nan], 99)

    @property
    def is_within_budget(self) -> bool:
        """Whether both are."""
        return not self.failed and self.p50 <= P50_MAX_MS and self.p99 <= P99_MAX_MS


class Searches:
    """A client with the tokens of all who search."""

    def __init__(self, session: aiohttp.ClientSession, server: Server, users: Sequence[Searcher]) -> None:
        self._session = session
        self._headers = {
            user.user_id: {
                "Authorization": f"Bearer {tokens.mint(user.user_id, server.secret, _TOKEN_TTL_S)}"
            }
            for user in users
        }
        self._users = users
        self._free_at = dict.fromkeys(self._headers, 0.0)

    async def measure(
        self, kind: Kind, conversations: int, state: str, count: int, first: int = 0
    ) -> Measured:
        """Searches `count` times, by the users in turn, beginning with the `first`-th query."""
        users = [user.user_id for user in self._users if user.conversations == conversations]
        ms, partial, hits, failed = [], 0, 0, 0
        for number in range(first, first + count):
            took, page = await self._search(
                users[number % len(users)], kind.queries[number % len(kind.queries)]
            )
            if page is None:
                failed += 1
                continue
            ms.append(took)
            partial += bool(page.get("partial"))
            hits += len(page["items"])
        return Measured(kind.name, conversations, state, ms, partial, hits, failed)

    async def are_possible(self) -> bool:
        """Whether PostgreSQL is within reach, by a request that reads nothing that searches read."""
        user = self._users[0].user_id
        async with self._session.get(f"{_BASE}/mentions", headers=self._headers[user]) as response:
            return response.status == 200

    async def _search(self, user: int, text: str) -> tuple[float, dict[str, Any] | None]:
        """Returns the milliseconds and the page; None if the search may be tried again."""
        await asyncio.sleep(max(0.0, self._free_at[user] - time.monotonic()))
        begun = time.perf_counter()
        self._free_at[user] = time.monotonic() + _PAUSE_S
        async with self._session.get(
            f"{_BASE}/search/messages", params={"q": text}, headers=self._headers[user]
        ) as response:
            body = await response.read()
            took = (time.perf_counter() - begun) * 1e3
            if response.status in _AGAIN:
                return took, None
            if response.status != 200:
                raise BenchError(f"a search for {text!r} gave {response.status}: {body[:300]!r}")
            page: dict[str, Any] = await response.json()
        return took, page


def session(server: Server) -> aiohttp.ClientSession:
    """Returns a session with that server."""
    return aiohttp.ClientSession(f"http://127.0.0.1:{server.port}", timeout=_DEADLINE)


def merged(parts: Sequence[Measured]) -> Measured:
    """Returns several measurements of the same kind as one."""
    first = parts[0]
    ms = [value for part in parts for value in part.ms]
    return Measured(
        first.kind,
        first.conversations,
        first.state,
        ms,
        sum(part.partial for part in parts),
        sum(part.hits for part in parts),
        sum(part.failed for part in parts),
    )
