"""The first screen of a new stack: six people by name, and the conversations of whoever is chosen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import cast

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from gateway.edge.pages import CLIENT
from messenger_local.demo import CONVERSATIONS, PEOPLE, Person
from tests.browser.client import Chat, WebClients
from tests.browser.test_client_looks import NARROW, WIDE, assert_accessible, assert_fits
from tests.conftest import SharedStack
from tests.stack import RunningStack, running_stack

FEW = "gateway=1,chat-api=1"
NAMES = [person.name for person in PEOPLE]
BY_ID = {person.external_id: person.name for person in PEOPLE}
LOOKS = [(scheme, size) for scheme in ("light", "dark") for size in ("wide", "narrow")]
VIEWPORTS = {"wide": WIDE, "narrow": NARROW}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def demo(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory, unused_tcp_port_factory: Callable[[], int]
) -> AsyncIterator[RunningStack]:
    """Yields a new stack with the demo."""
    if not (CLIENT / "index.html").is_file():
        pytest.skip("the web client is not built (`make web` says why): nobody looked at it")
    data_dir = tmp_path_factory.mktemp("demo") / "data"
    async with running_stack(data_dir, unused_tcp_port_factory(), FEW, demo=True) as stack:
        yield stack


@pytest_asyncio.fixture(loop_scope="session")
async def clients(browser: Browser, demo: RunningStack) -> AsyncIterator[WebClients]:
    # They need no more of it than its address.
    opened = WebClients(browser, cast(SharedStack, demo))
    try:
        yield opened
    finally:
        await opened.close()
    assert opened.errors == [], "a script failed or the content security policy was broken"


async def test_the_first_screen_offers_the_people_and_a_click_leads_to_their_conversations(
    clients: WebClients,
) -> None:
    # Each time as somebody else, since what was opened is read.
    for (scheme, size), person in zip(LOOKS, PEOPLE, strict=False):
        context = await clients.context(color_scheme=scheme, viewport=VIEWPORTS[size])
        page = await clients.page(context)
        await page.goto(clients.url)
        await look_at_picker(page, f"{size}-{scheme}", VIEWPORTS[size])
        await page.get_by_role("button", name=person.name).click()
        await look_at_conversations(page, person, f"{size}-{scheme}", VIEWPORTS[size])
        await context.close()


def rows_of(person: Person) -> list[tuple[str, int]]:
    """Returns the title and the number of unread messages of a person's conversations, newest first."""
    rows = []
    for conversation in reversed(CONVERSATIONS):
        if person.external_id in conversation.members:
            [other, *_] = [BY_ID[id_] for id_ in conversation.members if id_ != person.external_id]
            senders = [sender for sender, _ in conversation.messages][::-1]
            rows.append((conversation.title or other, senders.index(person.external_id)))
    return rows


async def look_at_picker(page: Page, name: str, viewport: dict[str, int]) -> None:
    await expect(page.locator(".picker-user bdi")).to_have_text(NAMES)
    await expect(page.locator(".picker-user .avatar")).to_have_text(
        ["김서", "AC", "박지", "MP", "이하", "TF"]
    )
    hues = "[...document.querySelectorAll('.picker-user .avatar')].map(each => each.className)"
    assert len(set(await page.evaluate(hues))) == len(NAMES)
    await assert_accessible(page)
    await assert_fits(page, viewport)
    await Chat(page, 0).save_screenshot(f"demo-picker-{name}")


async def look_at_conversations(page: Page, person: Person, name: str, viewport: dict[str, int]) -> None:
    titles, unread = zip(*rows_of(person), strict=True)
    await expect(page.locator(".item-title")).to_have_text(list(titles))
    badges = page.locator(".item .badge > [aria-hidden]")
    await expect(badges).to_have_text([str(count) for count in unread if count])
    await expect(page.locator(".item", has_text="Tom Fischer: I'll send")).to_be_visible()
    await assert_accessible(page)
    await assert_fits(page, viewport)
    chat = Chat(page, 0)
    await chat.save_screenshot(f"demo-list-{name}")
    await chat.open("Product launch")
    await expect(chat.message("The release notes").locator(".sender")).to_have_text("Tom Fischer")
    await chat.save_screenshot(f"demo-thread-{name}")


async def test_without_the_people_the_first_screen_offers_numbers(clients: WebClients) -> None:
    page = await clients.page(await clients.context())
    await page.route("**/dev/users", lambda route: route.fulfill(json={"items": []}))
    await page.goto(clients.url)
    await expect(page.locator(".picker-user bdi")).to_have_text([f"User {id_}" for id_ in range(1, 7)])
