"""Files of the web client in an S3 store: the browser exchanges the bytes with the store itself."""

import re
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Route, expect

from tests.browser.client import WebClients
from tests.browser.files import attachments, choose, document, expect_loaded, picture, ready, two_in
from tests.browser.test_client_looks import WIDE
from tests.conftest import SharedStack, shared_stack
from tests.s3.running import RunningS3, running_s3
from tests.waiting import until

MIB = 2**20
# Two parts.
LARGE = 20 * MIB
SECOND_PART = re.compile("partNumber=2&")


@pytest.fixture(scope="module")
def store() -> Iterator[RunningS3]:
    with running_s3() as store:
        yield store


@pytest.fixture(scope="module")
def s3_stack(
    tmp_path_factory: pytest.TempPathFactory, unused_tcp_port_factory: Callable[[], int], store: RunningS3
) -> Iterator[SharedStack]:
    place = tmp_path_factory.mktemp("s3") / "data"
    with shared_stack(place, unused_tcp_port_factory(), store.variables()) as stack:
        yield stack


@pytest_asyncio.fixture(loop_scope="session")
async def clients(browser: Browser, s3_stack: SharedStack) -> AsyncIterator[WebClients]:
    """Yields clients of the stack with that store."""
    opened = WebClients(browser, s3_stack)
    try:
        yield opened
    finally:
        await opened.close()
    assert opened.errors == [], "a script failed or the content security policy was broken"


async def test_two_exchange_pictures_and_a_large_file_by_the_store(clients: WebClients) -> None:
    first, second = await two_in(clients, "By the store", viewport=WIDE)
    lost: list[str] = []

    async def lose(route: Route) -> None:
        lost.append(route.request.url)
        await route.abort("connectionreset")

    await first.page.route(SECOND_PART, lose)
    await choose(first, picture("one.png"), picture("two.png"))
    await expect(ready(first)).to_have_count(2)
    await first.send("Pictures")
    for chat in (first, second):
        await expect_loaded(attachments(chat).get_by_role("img"), 2)
    large = document("large.bin", LARGE)
    await choose(first, large)
    await first.send("The recording")
    await until(lambda: lost)
    await first.page.unroute(SECOND_PART)
    await first.page.reload()
    await first.expect_stored("The recording")
    async with second.page.expect_download() as downloading:
        await attachments(second).get_by_role("button", name="Download large.bin").click()
    path = await (await downloading.value).path()
    assert path.read_bytes() == large["buffer"]
