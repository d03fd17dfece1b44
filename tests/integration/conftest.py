"""Fixtures of the tests with a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from messenger_shared.postgres.database import Database
from tests.databases import logged_in


@pytest.fixture
async def database(chat_database_url: str) -> AsyncIterator[Database]:
    """Yields a database that logs in as chat-api does."""
    async with logged_in(chat_database_url, 8) as database:
        yield database
