"""Owns the fixtures of the fault tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd, gathered


@pytest.fixture
async def crowd(stack: SharedStack) -> AsyncIterator[Crowd]:
    """People at the shared stack, in which a killed worker is replaced."""
    async with gathered(stack.url, stack.token) as crowd:
        yield crowd
