"""Fixtures of the end-to-end tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.client import User
from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd, open_crowd
from tests.e2e.hosts import host_with, new_key


@pytest.fixture
async def crowd(stack: SharedStack) -> AsyncIterator[Crowd]:
    """People at the shared stack."""
    async with open_crowd(stack.url, stack.token) as crowd:
        yield crowd


@pytest.fixture(scope="module")
def export_key(stack: SharedStack) -> str:
    """A server key for webhooks and events."""
    return new_key(stack.data_dir, "export")


@pytest.fixture
async def exporter(stack: SharedStack, export_key: str) -> AsyncIterator[User]:
    """A host with that key."""
    async with host_with(stack.url, export_key) as host:
        yield host
