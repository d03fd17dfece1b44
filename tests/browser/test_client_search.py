"""The search above the conversations in the web client: what it finds, how it is used, and where it leads."""

from __future__ import annotations

import asyncio

from playwright.async_api import Locator, Page, expect

from tests.browser.client import Chat, WebClients, new_user
from tests.browser.people import item, name
from tests.browser.test_client_composition import compose
from tests.browser.test_client_speed import MESSAGES, fill
from tests.client import User

# On a busy machine there are few frames, and the next page is there before the list has come to rest.
SLOW_FRAMES = """() => {
  const draw = requestAnimationFrame.bind(window);
  window.requestAnimationFrame = then => setTimeout(() => draw(then), 100);
  window.cancelAnimationFrame = clearTimeout;
}"""


def field(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Search", exact=True)


def hits(page: Page) -> Locator:
    return page.get_by_role("group", name="Messages").get_by_role("option")


def marks(page: Page) -> Locator:
    return hits(page).locator("mark")


async def test_korean_is_found_by_syllable_by_initials_and_while_it_is_composed(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("주간 모임", one, two)
    await clients.post(two, room, "다음 주 회의는 화요일입니다.", "점심 뭐 먹지", "감사합니다")
    chat = await clients.chat(one)
    page = chat.page
    await field(page).fill("회의")
    await expect(marks(page)).to_have_text(["회의"])
    await field(page).fill("ㅎㅇ")
    await expect(marks(page)).to_have_text(["회의", "화요"])
    await field(page).fill("ㅎㅇㄴ")
    await expect(marks(page)).to_have_text(["회의는"])
    input_ = await page.context.new_cdp_session(page)
    await field(page).fill("")
    # An input method makes one letter of two consonants.
    await compose(input_, "ㄱ", "ㄳ")
    await expect(field(page)).to_have_value("ㄳ")
    await expect(marks(page)).to_have_count(0)
    await input_.send("Input.insertText", {"text": "ㄳ"})
    await compose(input_, "ㅎ")
    await expect(marks(page)).to_have_text(["감사합"])
    await compose(input_, "")
    await field(page).fill("다음 ")
    # 횡 is on the way to 회의, and no word begins with it.
    await compose(input_, "ㅎ", "호", "회", "횡")
    await expect(marks(page)).to_have_text(["다음", "회의"])
    await input_.send("Input.insertText", {"text": "회"})
    await compose(input_, "으", "의")
    await expect(field(page)).to_have_value("다음 회의")
    await expect(hits(page)).to_have_count(1)
    await expect(hits(page)).to_contain_text("주간 모임")


async def test_what_was_found_stays_until_the_next_answer_and_only_that_counts(clients: WebClients) -> None:
    one = new_user()
    room = await clients.group("Stable", one, new_user())
    await clients.post(one, room, "apple pie", "apple tart")
    chat = await clients.chat(one)
    page = chat.page
    await field(page).fill("apple")
    await expect(hits(page)).to_have_count(2)
    await page.evaluate(
        """() => { window.least = 9; new MutationObserver(() => {
             const now = document.querySelectorAll('[role=option]').length;
             window.least = Math.min(window.least, now);
           }).observe(document.body, { childList: true, subtree: true }); }"""
    )
    await field(page).press_sequentially(" pie")
    await expect(hits(page)).to_have_count(1)
    await expect(marks(page)).to_have_text(["apple", "pie"])
    assert await page.evaluate("window.least") == 1


async def hide_treasure(clients: WebClients, room: str, one: int, two: int) -> None:
    """Fills a conversation, and puts a word into its 300th message, which the first user hasn't read."""
    await asyncio.to_thread(fill, clients.stack.database_url, room, [one, two])
    api_user = await clients.api_user(one)
    page = await api_user.get(f"/conversations/{room}/messages", before_seq=301, limit=1)
    changed = await api_user.call("PUT", f"/messages/{page.body['items'][0]['id']}", body={"content": "보물"})
    assert changed.status == 200, changed
    await clients.mark_read(one, room, 20)


async def test_a_message_far_back_of_a_conversation_that_is_not_open_is_two_keys_away(
    clients: WebClients,
) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Archive", one, two)
    await clients.group("Another", one, two)
    await hide_treasure(clients, room, one, two)
    chat = await clients.chat(one)
    page = chat.page
    await page.evaluate(SLOW_FRAMES)
    await expect(item(page, "Archive").locator(".badge")).to_be_visible()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    await page.keyboard.press("ControlOrMeta+k")
    await page.keyboard.type("보물")
    await expect(hits(page)).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(chat.message("보물")).to_be_focused()
    await expect(chat.message("보물")).to_be_in_viewport()
    await expect(chat.message("보물")).to_have_class("message mine starts found", timeout=2_000)
    # Older messages come above it in the meantime.
    await expect(chat.message("보물")).to_have_attribute("aria-posinset", "151")
    await page.evaluate("new Promise(then => requestAnimationFrame(() => requestAnimationFrame(then)))")
    await expect(chat.message("보물")).to_be_in_viewport()
    # One request, and the user has not read what is newer.
    history = [url for url in requests if f"{room}/messages?" in url]
    assert [url for url in history if "around=" in url] == history[:1]
    await expect(field(page)).to_have_value("보물")
    await page.keyboard.press("ControlOrMeta+k")
    await page.keyboard.press("Escape")
    await expect(field(page)).to_have_value("")
    await expect(item(page, "Archive").locator(".badge")).to_be_visible()
    await page.get_by_role("button", name="Jump to the newest message").click()
    await expect(chat.message(f"Message {MESSAGES}:")).to_be_in_viewport()


async def with_pears(clients: WebClients, host: User) -> Chat:
    """Opens the client of a user with a group and a direct conversation that are both about pears."""
    one, two = new_user(), new_user()
    await name(host, two, "Paul Pear")
    room = await clients.group("Fruit pear", one, two)
    direct = await clients.api_user(two)
    made = await direct.post("/conversations", {"type": "direct", "participant_ids": [one]})
    await clients.post(two, made.body["id"], "an apple")
    await clients.post(two, room, "first pear", "second pear")
    chat = await clients.chat(one)
    await expect(item(chat.page, "an apple")).to_contain_text("Paul Pear")
    return chat


def results(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Search results").get_by_role("option")


async def test_the_arrow_keys_move_through_all_results(clients: WebClients, host: User) -> None:
    chat = await with_pears(clients, host)
    page = chat.page
    await field(page).press_sequentially("pear")
    await expect(hits(page)).to_have_count(2)
    await expect(results(page)).to_have_count(4)
    for step, text in enumerate(("Fruit pear", "an apple", "second pear", "first pear", "first pear")):
        if step:
            await page.keyboard.press("ArrowDown")
        active = page.get_by_role("option", selected=True)
        await expect(active).to_have_count(1)
        await expect(active).to_contain_text(text)
        active_id = await active.get_attribute("id")
        await expect(field(page)).to_have_attribute("aria-activedescendant", active_id or "")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    await expect(chat.message("second pear")).to_be_focused()
    await expect(page.get_by_role("heading", name="Fruit pear")).to_be_visible()
    await page.keyboard.press("ControlOrMeta+k")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(chat.message("first pear")).to_be_focused()


async def test_the_shortcut_leads_to_the_field_and_escape_clears_then_leaves(
    clients: WebClients, host: User
) -> None:
    chat = await with_pears(clients, host)
    page = chat.page
    await page.keyboard.press("ControlOrMeta+k")
    await page.keyboard.type("paul")
    await expect(results(page)).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Paul Pear")).to_be_visible()
    await expect(field(page)).to_have_value("")
    await page.keyboard.press("ControlOrMeta+k")
    await page.keyboard.type("pear")
    await page.keyboard.press("Escape")
    await expect(field(page)).to_have_value("")
    await expect(field(page)).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(field(page)).not_to_be_focused()
    await chat.open_dialog("Details")
    await page.keyboard.press("ControlOrMeta+k")
    assert await page.evaluate("document.activeElement.closest('[role=dialog]') !== null")


async def test_what_is_deleted_or_edited_away_is_gone_from_the_results(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Fading", one, two)
    deleted, edited, _ = await clients.post(two, room, "secret one", "secret two", "secret three")
    chat = await clients.chat(one)
    page = chat.page
    await field(page).fill("secret")
    await expect(hits(page)).to_have_count(3)
    author = await clients.api_user(two)
    await author.call("DELETE", f"/messages/{deleted['id']}")
    await expect(hits(page)).to_have_count(2)
    await author.call("PUT", f"/messages/{edited['id']}", body={"content": "nothing"})
    await expect(hits(page)).to_have_count(1)
    await field(page).fill("secret ")
    await field(page).fill("secre")
    await expect(marks(page)).to_have_text(["secre"])
    await expect(hits(page)).to_contain_text("secret three")


async def test_nobody_finds_a_conversation_that_is_not_theirs(clients: WebClients) -> None:
    one, two, foreign = new_user(), new_user(), new_user()
    mine = await clients.group("Mine", foreign, two)
    room = await clients.group("Theirs", one, two)
    await clients.post(one, room, "the password is xyzzy")
    await clients.post(two, mine, "nothing here")
    insider, outsider = await clients.chat(one), await clients.chat(foreign)
    for chat in (insider, outsider):
        await field(chat.page).fill("xyzzy")
    await expect(hits(insider.page)).to_have_count(1)
    await expect(outsider.page.get_by_text("No messages found for “xyzzy”")).to_be_visible()
    await expect(hits(outsider.page)).to_have_count(0)
