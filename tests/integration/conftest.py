"""Fixtures of the tests with a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from messenger_shared.postgres.database import Database
from tests.databases import logged_in
from tests.integration.delivering import Receiver, World, delivering, receiving
from tests.integration.indexing import Room


@pytest.fixture
async def database(chat_database_url: str) -> AsyncIterator[Database]:
    """Yields a database that logs in as chat-api does."""
    async with logged_in(chat_database_url, 8) as database:
        yield database


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Yields a receiver of a webhook."""
    async with receiving() as made:
        yield made


@pytest.fixture
async def world(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """Yields a database, and feeds that deliver to webhooks."""
    async with delivering(database, monkeypatch) as world:
        yield world


@pytest.fixture
async def rooms(database: Database, database_url: str) -> list[Room]:
    """Three conversations."""
    return [await Room(database, database_url).create() for _ in range(3)]
