"""Owns the browser of the tests: the system's Chromium, since none can be brought along."""

import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright

from gateway.pages import CLIENT
from tests.browser.client import Office
from tests.conftest import SharedStack

CHROMIUM = "/usr/bin/chromium"
# A test's browser talks to the test's servers and to nobody else.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # Pages that a test makes up have no address, and may embed what is on this machine all the same.
    "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets",
)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    if shutil.which(CHROMIUM) is None:
        pytest.skip(f"{CHROMIUM} is not installed: no page was looked at")
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        try:
            yield launched
        finally:
            await launched.close()


@pytest.fixture
async def office(browser: Browser, stack: SharedStack) -> AsyncIterator[Office]:
    """The web client; whatever a script or the content security policy complained of fails the test."""
    if not (CLIENT / "index.html").is_file():
        pytest.skip("the web client is not built (`make web` says why): nobody looked at it")
    opened = Office(browser, stack)
    try:
        yield opened
    finally:
        await opened.close()
    assert opened.faults == [], "a script failed or the content security policy was broken"
