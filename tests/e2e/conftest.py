"""Fixtures of the end-to-end tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd, open_crowd


@pytest.fixture
async def crowd(stack: SharedStack) -> AsyncIterator[Crowd]:
    """People at the shared stack."""
    async with open_crowd(stack.url, stack.token) as crowd:
        yield crowd
