"""Fixtures of the fault tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.conftest import SharedStack
from tests.e2e.crowd import Crowd, open_crowd


@pytest.fixture
async def crowd(stack: SharedStack) -> AsyncIterator[Crowd]:
    """Users of the shared stack, in which a killed worker is replaced."""
    async with open_crowd(stack.url, stack.token) as crowd:
        yield crowd
