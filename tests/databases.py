"""Opens a database pool that ends with the test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from messenger_shared.postgres.database import Database


@asynccontextmanager
async def logged_in(url: str, connections: int = 2) -> AsyncIterator[Database]:
    """Yields a pool that logs in with the role in `url`."""
    database = Database(url, connections, "test")
    await database.start()
    try:
        yield database
    finally:
        await database.stop()
