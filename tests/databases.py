"""Owns a test's own way into a database: a pool that is ended with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from messenger_shared.postgres import Database


@asynccontextmanager
async def logged_in(url: str, connections: int = 2) -> AsyncIterator[Database]:
    """As the role that `url` names."""
    database = Database(url, connections, "test")
    await database.start()
    try:
        yield database
    finally:
        await database.stop()
