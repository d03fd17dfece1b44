"""A whole Chromium for the tests of a file that imports it: the headless shell has no notifications."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser

from tests.browser.conftest import CHROMIUM, launched


@pytest_asyncio.fixture(scope="module", loop_scope="session", name="browser")
async def whole_browser() -> AsyncIterator[Browser]:
    async with launched(CHROMIUM) as browser:
        yield browser
