"""The web client in Chromium: what two users do with each other."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.client import WebClients, new_user, wait_for_expression


@pytest.fixture
def one() -> int:
    return new_user()


@pytest.fixture
def two() -> int:
    return new_user()


async def test_two_people_chat_and_see_who_types_and_who_has_read(
    clients: WebClients, one: int, two: int
) -> None:
    await clients.group("Tea", one, two)
    first, second = await clients.chat(one), await clients.chat(two)
    await first.open("Tea")
    await first.send("Is there any left?")
    await first.expect_status("Is there any left?", "delivered")
    await second.open("Tea")
    await second.expect_messages("Is there any left?")
    await second.page.bring_to_front()
    await first.expect_status("Is there any left?", "read")
    await second.text_box.press_sequentially("Plenty")
    await expect(first.page.get_by_test_id("typing")).to_contain_text(f"User {two} is typing")
    await second.text_box.press("Enter")
    await first.expect_messages("Is there any left?", "Plenty")
    await expect(first.page.get_by_test_id("typing")).not_to_contain_text("typing")


async def test_a_direct_conversation_is_started_and_found_again(
    clients: WebClients, one: int, two: int
) -> None:
    first, second = await clients.chat(one), await clients.chat(two)
    for _ in range(2):
        await first.page.get_by_role("button", name="New conversation").first.click()
        await first.page.get_by_label("Name or user id", exact=True).fill(str(two))
        await first.page.get_by_role("button", name="Create").click()
        await expect(first.page.get_by_role("heading", name=f"User {two}")).to_be_visible()
    await first.send("Just the two of us")
    await second.open(f"User {one}")
    await second.expect_messages("Just the two of us")
    await expect(first.page.get_by_role("navigation").get_by_role("listitem")).to_have_count(1)


async def test_an_answer_quotes_and_leads_to_what_it_answers(clients: WebClients, one: int, two: int) -> None:
    room = await clients.group("Quotes", one, two)
    await clients.post(two, room, "The question", *(f"filler {n}" for n in range(40)))
    first = await clients.chat(one)
    await first.open("Quotes")
    feed = first.page.get_by_role("feed")
    await feed.evaluate("feed => { feed.scrollTop = 0 }")
    await first.choose_action("The question", "Reply")
    await first.send("The answer")
    quote = first.message("The answer").get_by_role("button", name="Go to the message")
    await expect(quote).to_contain_text("The question")
    await quote.click()
    await expect(first.message("The question").first).to_be_in_viewport()


async def test_a_message_is_edited_and_deleted_before_everybodys_eyes(
    clients: WebClients, one: int, two: int
) -> None:
    await clients.group("Changes", one, two)
    first, second = await clients.chat(one), await clients.chat(two)
    await first.open("Changes")
    await second.open("Changes")
    await first.send("frist")
    await second.expect_messages("frist")
    await first.expect_stored("frist")
    await first.text_box.press("ArrowUp")
    await expect(first.text_box).to_have_value("frist")
    await first.send("first")
    await second.expect_messages("first")
    await expect(second.message("first")).to_contain_text("edited")
    await first.choose_action("first", "Delete")
    await first.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    for chat in (first, second):
        await expect(chat.messages).to_contain_text(["This message was deleted"])


async def test_what_is_unread_is_counted_and_marked(clients: WebClients, one: int, two: int) -> None:
    room = await clients.group("Unread", one, two)
    other = await clients.group("Elsewhere", one, two)
    first = await clients.chat(one)
    await first.open("Elsewhere")
    await clients.post(two, room, "one", "two", "three")
    row = first.page.get_by_role("button", name="Unread")
    await expect(row).to_contain_text("3 unread messages")
    await expect(first.page).to_have_title("(3) Messenger")
    await first.page.bring_to_front()
    await row.click()
    await expect(first.message("one")).to_contain_text("New messages")
    await expect(row).not_to_contain_text("unread")
    await expect(first.page).to_have_title("Messenger")
    assert other


async def test_a_muted_conversation_calls_nobody(clients: WebClients, one: int, two: int) -> None:
    room = await clients.group("Noise", one, two)
    first = await clients.chat(one)
    await first.open("Noise")
    await first.page.get_by_role("button", name="Details").click()
    await first.page.get_by_role("switch", name="Mute notifications").click()
    await expect(first.page.get_by_role("switch")).to_be_checked()
    await first.page.get_by_role("button", name="Close").click()
    await first.page.goto(f"{clients.url}/?user_id={one}")
    await first.expect_connected()
    await clients.post(two, room, "noise")
    row = first.page.get_by_role("button", name="Noise")
    await expect(row).to_contain_text("1 unread message")
    await expect(row.get_by_role("img", name="Muted")).to_be_visible()
    await expect(first.page).to_have_title("Messenger")


async def test_notifications_come_to_who_is_elsewhere_and_open_the_conversation(
    clients: WebClients, one: int, two: int
) -> None:
    room = await clients.group("Calls", one, two)
    context = await clients.context(permissions=["notifications"])
    # Keeps what the browser would show where a test can read it.
    await context.add_init_script(
        """class Kept { static permission = 'granted'; constructor(title, options) {
             (window.shown ??= []).push({ title, ...options }); window.last = this }
             close() {} }
           window.Notification = Kept; document.hasFocus = () => window.isThere !== false"""
    )
    first = await clients.listening_chat(one, context)
    await first.page.evaluate("window.isThere = false; window.dispatchEvent(new Event('blur'))")
    await clients.post(two, room, "come here")
    await wait_for_expression(first.page, "window.shown?.length === 1")
    shown = await first.page.evaluate("window.shown[0]")
    assert (shown["title"], shown["body"]) == (f"User {two} · Calls", "come here")
    await first.page.evaluate("window.last.onclick()")
    await first.expect_messages("come here")
    await first.page.evaluate("window.isThere = true; window.dispatchEvent(new Event('focus'))")
    await clients.post(two, room, "seen anyway")
    await first.expect_messages("come here", "seen anyway")
    assert await first.page.evaluate("window.shown.length") == 1


async def test_members_come_and_go_and_change_their_roles(clients: WebClients, one: int, two: int) -> None:
    three = new_user()
    room = await clients.group("Members", one, two)
    first, second = await clients.chat(one), await clients.chat(two)
    await first.open("Members")
    await second.open("Members")
    await first.page.get_by_role("button", name="Details").click()
    await first.page.get_by_label("Add people").fill(str(three))
    await first.page.get_by_role("button", name="Add", exact=True).click()
    await expect(first.page.get_by_test_id(f"member-{three}")).to_be_visible()
    await first.page.get_by_label(f"Role of User {two}").select_option("observer")
    await expect(second.page.get_by_text("You can read here, but not write.")).to_be_visible()
    await first.page.get_by_label("Title").fill("Renamed")
    await first.page.get_by_role("button", name="Rename").click()
    await expect(second.page.get_by_role("heading", name="Renamed")).to_be_visible()
    await first.page.get_by_role("button", name=f"Remove User {two}").click()
    await expect(second.page.get_by_text("This conversation is not yours")).to_be_visible()
    api_user = await clients.api_user(three)
    assert (await api_user.get(f"/conversations/{room}")).body["participants_count"] == 2


async def test_who_has_read_a_message_is_listed(clients: WebClients, one: int, two: int) -> None:
    room = await clients.group("Readers", one, two)
    first = await clients.chat(one)
    await first.open("Readers")
    await first.send("read me")
    await first.expect_status("read me", "delivered")
    await first.choose_action("read me", "Who has read it")
    await expect(first.page.get_by_role("dialog")).to_contain_text("Nobody has read it yet")
    await first.page.keyboard.press("Escape")
    reader = await clients.api_user(two)
    await reader.call("PUT", f"/conversations/{room}/read", body={"seq": 1})
    await first.expect_status("read me", "read")
    await first.choose_action("read me", "Who has read it")
    await expect(first.page.get_by_role("dialog")).to_contain_text(f"User {two}")


async def test_a_reload_shows_what_was_read_before(clients: WebClients, one: int, two: int) -> None:
    room = await clients.group("Ticks", one, two)
    sent = await clients.post(one, room, "read", "read too", "not read")
    reader = await clients.api_user(two)
    await reader.call("PUT", f"/conversations/{room}/read", body={"message_id": sent[1]["id"]})
    first = await clients.chat(one)
    await first.open("Ticks")
    await first.expect_status("read too", "read")
    await first.expect_status("not read", "delivered")


async def test_markup_stays_text_and_only_web_addresses_are_links(
    clients: WebClients, one: int, two: int
) -> None:
    room = await clients.group("Markup", one, two)
    text = "<img src=x onerror=alert(1)> javascript:alert(1) https://example.org/a?b=1 data:text/html,x"
    await clients.post(two, room, text)
    first = await clients.chat(one)
    await first.open("Markup")
    await first.expect_messages(text)
    links = first.page.get_by_test_id("message-text").get_by_role("link")
    await expect(links).to_have_count(1)
    await expect(links).to_have_attribute("href", "https://example.org/a?b=1")
    await expect(links).to_have_attribute("rel", re.compile("noopener noreferrer"))
    await expect(first.page.get_by_test_id("message-text").locator("img")).to_have_count(0)


async def test_drafts_are_kept_per_conversation_and_over_a_reload(
    clients: WebClients, one: int, two: int
) -> None:
    await clients.group("Draft A", one, two)
    await clients.group("Draft B", one, two)
    first = await clients.chat(one)
    await first.open("Draft A")
    await first.text_box.fill("half a thought")
    await first.open("Draft B")
    await expect(first.text_box).to_have_value("")
    await expect(first.page.get_by_role("button", name="Draft A")).to_contain_text("half a thought")
    await first.page.reload()
    await first.open("Draft A")
    await expect(first.text_box).to_have_value("half a thought")
    await first.text_box.press("Shift+Enter")
    await first.text_box.press_sequentially("and the rest")
    await first.text_box.press("Enter")
    await first.expect_messages("half a thought\nand the rest")
    await expect(first.text_box).to_have_value("")


async def test_the_keyboard_alone_is_enough(clients: WebClients, one: int, two: int) -> None:
    room = await clients.group("Keys", one, two)
    await clients.post(two, room, "first", "second")
    chat = await clients.chat(one)
    page = chat.page
    row = page.get_by_role("button", name="Keys")
    await expect(row).to_be_visible()
    await page.get_by_role("combobox", name="Search").focus()
    await page.keyboard.press("Tab")
    await expect(row).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(chat.text_box).to_be_focused()
    await chat.expect_messages("first", "second")
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Shift+Tab")
    await expect(chat.message("second")).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await expect(chat.message("first")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menuitem", name="Reply")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(chat.text_box).to_be_focused()
    await page.keyboard.type("answered by keys")
    await page.keyboard.press("Enter")
    await expect(chat.message("answered by keys")).to_contain_text("first")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Escape")
    await expect(chat.text_box).to_have_value("")
