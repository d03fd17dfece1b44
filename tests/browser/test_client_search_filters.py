"""The filters of the search above the conversations in the web client."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from tests.browser.client import WebClients, new_user
from tests.browser.people import item, name
from tests.browser.test_client_looks import assert_accessible
from tests.browser.test_client_search import field, hits
from tests.client import User


@dataclass(frozen=True)
class Plans:
    """A client with the hits for `plan`: five, three of them in `First`, four of them by Grace Hopper."""

    page: Page

    @property
    def filters(self) -> Locator:
        return self.page.get_by_role("group", name="Filters for messages")

    def button(self, name: str) -> Locator:
        return self.filters.get_by_role("button", name=name, exact=True)


@pytest_asyncio.fixture(loop_scope="session")
async def plans(clients: WebClients, host: User) -> Plans:
    one, two = new_user(), new_user()
    await name(host, one, "Ada")
    await name(host, two, "Grace Hopper")
    first, second = await clients.group("First", one, two), await clients.group("Second", one, two)
    await clients.post(one, first, "plan by Ada")
    await clients.post(two, first, "plan by Grace", "plan with https://example.org/link")
    await clients.post(two, second, "another plan")
    api_user = await clients.api_user(two)
    sent = {"content": "look", "message_type": "file", "file_url": "https://files.example/1"}
    await api_user.post(f"/conversations/{second}/messages", {**sent, "file_name": "the plan.pdf"})
    chat = await clients.chat(one)
    await field(chat.page).fill("plan")
    await expect(hits(chat.page)).to_have_count(5)
    return Plans(chat.page)


async def test_filters_by_person_and_conversation_narrow_the_search_and_come_off_again(plans: Plans) -> None:
    page = plans.page
    await expect(hits(page).first).to_contain_text("the plan.pdf")
    await plans.button("Links").click()
    await expect(hits(page)).to_have_count(1)
    await expect(hits(page)).to_contain_text("example.org/link")
    await plans.button("Links").click()
    await plans.button("From").click()
    await expect(plans.filters.get_by_role("combobox", name="From")).to_be_focused()
    await page.keyboard.type("hop")
    await page.get_by_role("listbox", name="People found").get_by_role("option", name="Grace Hopper").click()
    await expect(hits(page)).to_have_count(4)
    await expect(plans.button("From Grace Hopper")).to_be_focused()
    await plans.button("In").click()
    await page.keyboard.type("fir")
    await plans.button("First").click()
    await expect(hits(page)).to_have_count(2)
    await expect(plans.button("In First")).to_be_focused()
    await plans.button("Remove the filter: From Grace Hopper").click()
    await expect(hits(page)).to_have_count(3)
    await page.get_by_role("button", name="Clear the search").click()
    await expect(item(page, "First")).to_be_visible()


async def test_a_filter_by_days_has_both_days_in_it(plans: Plans) -> None:
    page, today = plans.page, datetime.now(UTC)
    await plans.button("Date").click()
    first, last = plans.filters.get_by_label("First day"), plans.filters.get_by_label("Last day")
    await expect(first).to_be_focused()
    await first.fill(f"{today + timedelta(days=2):%Y-%m-%d}")
    await expect(page.get_by_text("No messages found for “plan”")).to_be_visible()
    # The page's time zone is that of the machine, so today is one of these days.
    await first.fill(f"{today - timedelta(days=1):%Y-%m-%d}")
    await expect(hits(page)).to_have_count(5)
    await last.fill(f"{today + timedelta(days=1):%Y-%m-%d}")
    await expect(hits(page)).to_have_count(5)
    await first.fill("2024-01-01")
    await last.fill("2024-02-01")
    await expect(hits(page)).to_have_count(0)
    await page.keyboard.press("Escape")
    await expect(plans.button("Jan 1, 2024 – Feb 1, 2024")).to_be_focused()
    await assert_accessible(page)
