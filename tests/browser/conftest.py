"""The browser of the tests: the system's Chromium, since no package brings one.

One browser serves all tests of a file or more, and each test has browser contexts of its own. A browser
belongs to one event loop, so all tests and fixtures of this folder run on the loop of the session.
"""

import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from gateway.edge.pages import CLIENT
from tests.browser.client import WebClients
from tests.client import User
from tests.conftest import SharedStack
from tests.e2e.hosts import host_with, new_key

CHROMIUM = "/usr/bin/chromium"
# The same engine without windows: it takes half the processor time. It knows no permissions and no profiles.
HEADLESS_SHELL = "/usr/bin/chromium-headless-shell"
# The browser may talk only to the test's servers.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # Pages that a test makes up have no address, and may still embed local pages.
    "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets,PreloadTopChromeWebUI",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with launched(HEADLESS_SHELL if shutil.which(HEADLESS_SHELL) else CHROMIUM) as browser:
        yield browser


@contextlib.asynccontextmanager
async def launched(program: str) -> AsyncIterator[Browser]:
    """Yields a browser; skips the test if the program is not installed."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed: no page was looked at")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def clients(browser: Browser, stack: SharedStack) -> AsyncIterator[WebClients]:
    """Yields WebClients; any error of a script or of the content security policy fails the test."""
    if not (CLIENT / "index.html").is_file():
        pytest.skip("the web client is not built (`make web` says why): nobody looked at it")
    opened = WebClients(browser, stack)
    try:
        yield opened
    finally:
        await opened.close()
    assert opened.errors == [], "a script failed or the content security policy was broken"


@pytest.fixture(scope="session")
def server_key(stack: SharedStack) -> str:
    return new_key(stack.data_dir)


@pytest_asyncio.fixture(loop_scope="session")
async def host(stack: SharedStack, server_key: str) -> AsyncIterator[User]:
    async with host_with(stack.url, server_key) as host:
        yield host
