"""Owns the fixtures of the tests with a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from messenger_shared.postgres import Database
from tests.databases import logged_in


@pytest.fixture
async def database(chat_database_url: str) -> AsyncIterator[Database]:
    """As chat-api logs in to it."""
    async with logged_in(chat_database_url, 8) as database:
        yield database
