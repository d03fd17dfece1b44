"""How the search of the web client looks and reads: its states, light and dark, 360 px, languages, axe."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.client import Chat, WebClients, new_user
from tests.browser.people import name
from tests.browser.test_client_altered import BARE
from tests.browser.test_client_looks import NARROW, WIDE, assert_accessible, assert_fits, look_at
from tests.browser.test_client_search import field, marks
from tests.client import User


async def test_states_are_told_and_a_search_without_a_connection_comes_back(clients: WebClients) -> None:
    one = new_user()
    room = await clients.group("States", one, new_user())
    await clients.post(one, room, "something")
    chat = await clients.chat(one)
    page = chat.page
    status = page.locator(".search-panel [role=status]")
    await field(page).fill("s")
    await expect(page.get_by_text("Type at least two characters to search messages.")).to_be_visible()
    await field(page).fill("some")
    await expect(status).to_have_text("1 message shown")
    await field(page).fill("nowhere")
    await expect(page.get_by_text("No messages found for “nowhere”")).to_be_visible()
    await page.context.set_offline(True)
    await chat.expect_banner("You are offline.")
    await field(page).fill("thing")
    await expect(page.get_by_text("No connection. Try again when it is back.")).to_be_visible()
    await assert_accessible(page)
    assert await page.evaluate(BARE) == []
    await page.context.set_offline(False)
    await expect(marks(page)).to_have_text(["thing"])
    assert await page.evaluate(BARE) == []


async def furnish(clients: WebClients, host: User, one: int) -> None:
    two, three = new_user(), new_user()
    await name(host, two, "김민수")
    await name(host, three, "Ada Lovelace")
    room = await clients.group("회의 준비 Meeting prep", one, two, three)
    await clients.post(two, room, "회의 자료 올렸어요. 내일 회의 전에 한 번 봐 주세요.")
    before = "We went through everything that was still open from the last sprint, one by one, and then "
    await clients.post(three, room, f"{before}the meeting (회의) ended 👩‍👩‍👧‍👦 early.")
    lunch = await clients.group("점심 모임", three, one)
    await clients.post(one, lunch, "회의 끝나고 점심 먹으러 가요")


@pytest.mark.parametrize(
    ("locale", "viewport", "scheme"),
    [("en-US", WIDE, "light"), ("ko-KR", NARROW, "dark")],
    ids=["english-wide-light", "korean-narrow-dark"],
)
async def test_results_are_accessible_and_fit(
    clients: WebClients, host: User, locale: str, viewport: dict[str, int], scheme: str
) -> None:
    one = new_user()
    await furnish(clients, host, one)
    chat: Chat = await clients.chat(one, locale=locale, viewport=viewport, timezone_id="Asia/Seoul")
    page = chat.page
    await page.get_by_role("navigation").get_by_role("combobox").fill("회의")
    results = page.get_by_role("listbox").get_by_role("option")
    await expect(results).to_have_count(4)
    await assert_fits(page, viewport)
    await look_at(chat, f"search-{locale}")
    filters = page.locator(".filters")
    await filters.get_by_role("button").first.click()
    await assert_fits(page, viewport)
    await look_at(chat, f"search-from-{locale}")
    await filters.get_by_role("button").nth(1).click()
    await filters.locator(".filter-choice").first.click()
    await filters.get_by_role("button").nth(3).click()
    await filters.get_by_role("button").last.click()
    await assert_fits(page, viewport)
    await look_at(chat, f"search-days-{locale}")
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await chat.save_screenshot(f"search-filters-{locale}-{scheme}")
