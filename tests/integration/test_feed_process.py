"""The process of the feed: it indexes what is there, also after PostgreSQL or Redis were away."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import pytest

from messenger_shared.postgres.database import Database
from tests.faults.injection.proxy import Proxy
from tests.integration.indexing import Room, findings
from tests.integration.services import Service, running
from tests.waiting import eventually, until

# Without a mark, the sweep of every half minute has to find it.
BACK_S = 60.0


@pytest.fixture
async def proxies(valkey_url: str, chat_database_url: str) -> AsyncIterator[dict[str, Proxy]]:
    async with AsyncExitStack() as exits:
        yield {
            name: await exits.enter_async_context(Proxy(urlsplit(url).port or 0))
            for name, url in (("redis", valkey_url), ("postgresql", chat_database_url))
        }


@pytest.fixture
async def feed(
    valkey_url: str, chat_database_url: str, proxies: dict[str, Proxy], tmp_path: Path
) -> AsyncIterator[Service]:
    env = {
        "MESSENGER_SERVICE": "feed",
        "MESSENGER_REDIS_URL": through(proxies["redis"], valkey_url),
        "MESSENGER_DATABASE_URL": through(proxies["postgresql"], chat_database_url),
    }
    async with running("chat_api.feed", env, tmp_path) as service:
        yield service


def through(proxy: Proxy, url: str) -> str:
    """Returns the URL with the proxy's address."""
    parts = urlsplit(url)
    login, _, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{proxy.port}"))


async def test_it_indexes_what_it_finds_and_tells_of_it(
    database: Database, database_url: str, feed: Service
) -> None:
    room = await Room(database, database_url).create()
    await room.send("글글", "말말")
    await eventually(feed.is_ready)
    await until(lambda: room.blocks, BACK_S)
    async with aiohttp.ClientSession() as http, http.get(f"{feed.url}/metrics") as response:
        text = await response.text()
    assert 'messenger_feed_positions_total{consumer="search"} ' in text
    assert "messenger_search_indexed_messages_total 2.0" in text
    feed.process.send_signal(signal.SIGTERM)
    assert await feed.end() == 0


@pytest.mark.parametrize("gone", ["redis", "postgresql"])
async def test_what_happens_while_a_server_is_away_is_indexed_afterwards(
    database: Database, database_url: str, feed: Service, proxies: dict[str, Proxy], gone: str
) -> None:
    room = await Room(database, database_url).create()
    await eventually(feed.is_ready)
    proxies[gone].stop_traffic()

    async def is_away() -> bool:
        return not await feed.is_ready()

    await eventually(is_away)
    await room.send("글글")
    proxies[gone].resume_traffic()
    await until(lambda: room.blocks, BACK_S)
    assert findings(database_url) == []
