"""A server key of the running stack, and what uses it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from messenger_sdk import Server
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd, open_crowd
from tests.e2e.hosts import new_key


@pytest.fixture
async def crowd(stack: SharedStack) -> AsyncIterator[Crowd]:
    """Yields new users."""
    async with open_crowd(stack.url, stack.token) as crowd:
        yield crowd


@pytest.fixture(scope="session")
def server_key(stack: SharedStack) -> str:
    """Returns a key with all scopes."""
    return new_key(stack.data_dir)


@pytest.fixture
async def server(stack: SharedStack, server_key: str) -> AsyncIterator[Server]:
    """Yields the SDK's server with that key."""
    async with Server(stack.url, server_key) as server:
        yield server
