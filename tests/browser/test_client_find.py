"""Finding words in an open conversation of the web client: from hit to hit, marks in messages, keys."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.client import Chat, WebClients, new_user
from tests.browser.test_client_composition import ENTER, PROCESS, compose, key
from tests.browser.test_client_looks import NARROW, WIDE, assert_accessible, assert_fits, look_at
from tests.browser.test_client_speed import MESSAGES, fill

# Whether the page has kept the browser's own search from opening.
LISTEN = """() => window.addEventListener('keydown', event => {
  if (event.key === 'f') window.isTaken = event.defaultPrevented;
})"""


def field(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Find in this conversation")


def current(chat: Chat) -> Locator:
    return chat.page.locator(".message.current-hit")


async def test_enter_goes_from_hit_to_hit_however_far_and_back_again(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Archive", one, two)
    await asyncio.to_thread(fill, clients.stack.database_url, room, [one, two])
    await clients.post(two, room, "9000: posted again")
    await clients.mark_read(one, room, MESSAGES + 1)
    chat = await clients.chat(one)
    page = chat.page
    await chat.open("Archive")
    await page.get_by_role("button", name="Find in the conversation").click()
    await expect(field(page)).to_be_focused()
    await field(page).fill("000:")
    told = page.locator(".find-bar [role=status]").last
    await expect(current(chat)).to_contain_text("9000: posted again")
    await expect(told).to_contain_text("9000: posted again")
    for number in (10_000, 9_000, 8_000, 7_000):
        await field(page).press("Enter")
        await expect(current(chat)).to_contain_text(f"Message {number}:")
        await expect(current(chat)).to_be_in_viewport()
        await expect(current(chat).locator("mark")).to_have_text("000:")
        await expect(field(page)).to_be_focused()
    await field(page).press("Shift+Enter")
    await expect(current(chat)).to_contain_text("Message 8000:")
    await expect(current(chat)).to_be_in_viewport()
    await page.get_by_role("button", name="Next hit, older").click()
    await expect(current(chat)).to_contain_text("Message 7000:")
    for _ in range(6):
        await page.keyboard.press("Enter")
    await expect(current(chat)).to_contain_text("Message 1000:")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("No older hits")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(field(page)).to_have_count(0)
    await expect(page.locator(".feed mark")).to_have_count(0)
    await expect(page.get_by_role("button", name="Find in the conversation")).to_be_focused()
    await page.get_by_role("button", name="Jump to the newest message").click()
    await expect(chat.message("9000: posted again")).to_be_in_viewport()


async def test_the_next_pages_come_on_the_way(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Many", one, two)
    await asyncio.to_thread(fill, clients.stack.database_url, room, [one, two])
    chat = await clients.chat(one)
    page = chat.page
    await chat.open("Many")
    await page.get_by_role("button", name="Find in the conversation").click()
    await field(page).fill("Message")
    for number in range(MESSAGES, MESSAGES - 70, -1):
        await expect(current(chat)).to_contain_text(f"Message {number}:")
        await field(page).press("Enter")
    await expect(current(chat)).to_be_in_viewport()


async def test_marks_are_in_formatted_text_links_and_mentions_and_follow_changes(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Marks", one, two)
    sent = await clients.post(
        two, room, "the **plan b** is `plan c`", "see https://example.org/plan now", "plan", "no hit"
    )
    chat = await clients.chat(one)
    page = chat.page
    await chat.open("Marks")
    await chat.text_box.press("ControlOrMeta+f")
    await field(page).fill("plan")
    marks = page.locator(".feed mark")
    await expect(marks).to_have_count(4)
    await expect(page.locator(".message-text strong mark")).to_have_text("plan")
    await expect(page.locator(".message-text code mark")).to_have_text("plan")
    await expect(page.locator(".message-text a mark")).to_have_text("plan")
    await expect(page.locator(".message-text a")).to_have_text("https://example.org/plan")
    await expect(current(chat)).to_have_count(1)
    author = await clients.api_user(two)
    await author.call("DELETE", f"/messages/{sent[2]['id']}")
    await expect(marks).to_have_count(3)
    await field(page).press("Enter")
    await expect(current(chat)).to_contain_text("https://example.org/plan")
    await author.call("PUT", f"/messages/{sent[0]['id']}", body={"content": "the **idea b**"})
    await expect(marks).to_have_count(1)
    await field(page).press("Enter")
    await expect(page.get_by_text("No older hits")).to_be_visible()
    await field(page).fill("zebra")
    await expect(page.get_by_text("Nothing found")).to_be_visible()
    await expect(marks).to_have_count(0)


async def test_the_browsers_own_search_is_one_more_press_away(clients: WebClients) -> None:
    one = new_user()
    room = await clients.group("Keys", one, new_user())
    await clients.post(one, room, "words")
    chat = await clients.chat(one)
    page = chat.page
    await page.evaluate(LISTEN)
    await page.get_by_role("combobox", name="Search").press("ControlOrMeta+f")
    assert await page.evaluate("window.isTaken") is False
    await chat.open("Keys")
    await chat.text_box.press("ControlOrMeta+f")
    await expect(field(page)).to_be_focused()
    assert await page.evaluate("window.isTaken") is True
    await page.keyboard.press("ControlOrMeta+f")
    assert await page.evaluate("window.isTaken") is False
    await page.keyboard.press("Escape")
    await expect(chat.text_box).to_be_focused()
    await chat.open_dialog("Details")
    await page.keyboard.press("ControlOrMeta+f")
    assert await page.evaluate("window.isTaken") is False


async def test_an_open_syllable_is_found_and_its_enter_goes_on(clients: WebClients) -> None:
    one = new_user()
    room = await clients.group("한글", one, new_user())
    await clients.post(one, room, "회의 하나", "회의 둘", "다른 말")
    chat = await clients.chat(one)
    page = chat.page
    await chat.open("한글")
    await chat.text_box.press("ControlOrMeta+f")
    await expect(field(page)).to_be_focused()
    input_ = await page.context.new_cdp_session(page)
    await compose(input_, "회")
    await input_.send("Input.insertText", {"text": "회"})
    await compose(input_, "으", "의")
    await expect(current(chat)).to_contain_text("회의 둘")
    await key(input_, "rawKeyDown", PROCESS)
    await input_.send("Input.insertText", {"text": "의"})
    await key(input_, "keyUp", ENTER)
    await expect(current(chat)).to_contain_text("회의 하나")
    await expect(field(page)).to_have_value("회의")


async def test_another_conversation_is_not_searched(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    here, there = await clients.group("Here", one, two), await clients.group("There", one, two)
    await clients.post(two, there, "needle")
    await clients.post(two, here, "hay")
    chat = await clients.chat(one)
    await chat.open("Here")
    await chat.text_box.press("ControlOrMeta+f")
    await field(chat.page).fill("needle")
    await expect(chat.page.get_by_text("Nothing found")).to_be_visible()


@pytest.mark.parametrize(
    ("locale", "viewport"), [("en-US", WIDE), ("ko-KR", NARROW)], ids=["english-wide", "korean-narrow"]
)
async def test_the_bar_is_accessible_and_fits(
    clients: WebClients, locale: str, viewport: dict[str, int]
) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("회의록", one, two)
    await clients.post(two, room, "회의 자료입니다", "**회의**는 3시에 https://example.org/회의 에서", "네")
    chat = await clients.chat(one, locale=locale, viewport=viewport)
    page = chat.page
    await page.get_by_role("button", name="회의록").first.click()
    await page.locator(".thread-head [aria-keyshortcuts]").click()
    await page.locator(".find-bar input").fill("회의")
    await expect(current(chat)).to_contain_text("3시에")
    await assert_fits(page, viewport)
    await look_at(chat, f"find-{locale}")
    await page.locator(".find-bar input").press("Shift+Enter")
    await expect(page.locator(".find-status")).to_be_visible()
    await assert_fits(page, viewport)
    await assert_accessible(page)
    await chat.save_screenshot(f"find-status-{locale}")
