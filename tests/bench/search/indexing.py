"""Watches the feed index a filled database: how fast, at what cost, and how large the index gets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import psycopg2

from tests.bench import usage
from tests.bench.feed.backends import Backends
from tests.bench.programs import BenchError
from tests.bench.servers import Server

FEED: Final = "feed"
CONSUMER: Final = "search"
_POLL_S: Final = 1.0
_SAY_EVERY_S: Final = 20.0
# Without any progress.
_STALL_S: Final = 60.0
# The changes that the index doesn't have yet.
_BEHIND: Final = f"""
SELECT coalesce(sum(c.last_pos - coalesce(f.pos, 0)), 0)
  FROM messenger.conversations c
  LEFT JOIN messenger.feed_cursors f ON f.conversation_id = c.id AND f.consumer = '{CONSUMER}'
"""
_MESSAGES: Final = "SELECT count(*) FROM messenger.messages"
_SIZES: Final = """
SELECT (SELECT count(*) FROM messenger.search_blocks),
       pg_table_size('messenger.search_blocks'),
       pg_relation_size('messenger.search_blocks_by_grams'),
       pg_relation_size('messenger.search_blocks_pkey'),
       pg_total_relation_size('messenger.messages')
"""


@dataclass(frozen=True, slots=True)
class Indexed:
    """What indexing took, and what the index is. The sizes are in bytes."""

    messages: int
    seconds: float
    feed_cpu_s: float
    backends_cpu_s: float
    blocks: int
    table: int
    grams_index: int
    primary_key: int
    messages_table: int

    @property
    def lines(self) -> list[str]:
        """Returns the same as text."""
        feed_us, backends_us = (
            cpu_s * 1e6 / self.messages for cpu_s in (self.feed_cpu_s, self.backends_cpu_s)
        )
        # Of a million messages.
        table, grams, key, messages = (
            f"{size / 1024**2 / (self.messages / 1e6):.0f} MiB"
            for size in (self.table, self.grams_index, self.primary_key, self.messages_table)
        )
        return [
            f"{self.messages:,} messages indexed in {self.seconds:.0f} s, "
            f"{self.messages / self.seconds:,.0f} a second: {feed_us:.0f} µs of each in the feed, "
            f"{backends_us:.0f} µs in its backends",
            f"{self.blocks:,} blocks; for a million messages: table {table}, index of grams {grams}, "
            f"primary key {key} (the messages and their indexes: {messages})",
        ]


async def index_all(server: Server, say: Callable[[str], None]) -> Indexed:
    """Returns when the feed of this stack has indexed everything."""
    begun, before = time.monotonic(), usage.read(server.roots)
    async with Backends(server.database_url, FEED) as backends:
        # Nothing, if this database was indexed before.
        [(first,)] = await asyncio.to_thread(query, server.database_url, _BEHIND)
        await _until_done(server.database_url, int(first), say)
        seconds = time.monotonic() - begun
        spent = usage.read(server.roots).since(before).by_service[FEED]
    [(messages,)] = await asyncio.to_thread(query, server.database_url, _MESSAGES)
    # What its positions and the vacuum of the new table tell the planner.
    await asyncio.to_thread(query, server.database_url, "VACUUM (ANALYZE) messenger.search_blocks")
    [sizes] = await asyncio.to_thread(query, server.database_url, _SIZES)
    return Indexed(messages, seconds, spent, backends.seconds, *sizes)


async def _until_done(url: str, first: int, say: Callable[[str], None]) -> None:
    behind, progress = first, time.monotonic()
    said = progress
    while behind > 0:
        await asyncio.sleep(_POLL_S)
        [(now,)] = await asyncio.to_thread(query, url, _BEHIND)
        if now < behind:
            behind, progress = int(now), time.monotonic()
        elif time.monotonic() > progress + _STALL_S:
            raise BenchError(f"the feed makes no progress: {behind:,} changes are left")
        if time.monotonic() > said + _SAY_EVERY_S:
            said = time.monotonic()
            say(f"{1 - behind / first:.0%} indexed")


def query(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Returns the rows of a statement, as the tables' owner."""
    with closing(psycopg2.connect(url, connect_timeout=5)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
