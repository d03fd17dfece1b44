"""What belongs to one user in the web client: notes to self, and marks as unread."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.client import WebClients, new_user
from tests.browser.test_client_looks import NARROW, assert_accessible

FILE = {"message_type": "file", "file_url": "https://example.org/plan.pdf", "file_name": "plan.pdf"}


@pytest.mark.parametrize(
    ("locale", "new", "label", "create", "notes", "about"),
    [
        ("en-US", "New conversation", "Name or user id", "Create", "Notes to self", "Only you can see this"),
        ("ko-KR", "새 대화", "이름 또는 사용자 번호", "만들기", "나에게 쓰기", "나만 볼 수 있습니다"),
    ],
)
async def test_notes_to_self_are_begun_by_ones_own_id_and_found_again(
    clients: WebClients, locale: str, new: str, label: str, create: str, notes: str, about: str
) -> None:
    user = new_user()
    page = (await clients.chat(user, locale=locale, viewport=NARROW)).page
    for _ in range(2):
        await page.get_by_role("button", name=new).first.click()
        await expect(page.get_by_role("dialog")).to_contain_text(str(user))
        await page.get_by_label(label, exact=True).fill(str(user))
        await page.get_by_role("button", name=create).click()
        await expect(page.get_by_role("heading", name=notes)).to_be_visible()
        await expect(page.locator(".thread-head")).to_contain_text(about)
        await page.go_back()
    await assert_accessible(page)
    await expect(page.get_by_role("navigation").get_by_role("listitem")).to_have_count(1)
    item = page.get_by_role("button", name=notes).first
    await expect(item.locator(".icon-note")).to_be_visible()
    await item.click()
    box = page.locator("textarea")
    await box.fill("우유 사기")
    await box.press("Enter")
    await expect(page.get_by_test_id("message")).to_have_attribute(
        "data-status", re.compile("sent|delivered")
    )
    await page.reload()
    await expect(page.get_by_test_id("message-text")).to_have_text("우유 사기")
    await expect(page.get_by_role("heading", name=notes)).to_be_visible()
    await assert_accessible(page)


async def test_a_mark_as_unread_stays_until_the_conversation_is_opened_again(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Tea", one, two)
    await clients.group("Coffee", one, two)
    await clients.post(two, room, "first", "second", "third")
    chat = await clients.chat(one)
    item = chat.page.get_by_role("navigation").get_by_role("button", name="Tea")
    await chat.open("Tea")
    await expect(item.locator(".badge")).to_have_count(0)
    await chat.choose_action("second", "Mark as unread")
    await expect(item).to_contain_text("2 unread messages")
    await expect(chat.page.get_by_text("New messages")).to_be_visible()
    other = await clients.chat(one)
    there = other.page.get_by_role("navigation").get_by_role("button", name="Tea")
    await expect(there).to_contain_text("2 unread messages")
    await chat.open("Coffee")
    await expect(item).to_contain_text("2 unread messages")
    await chat.open("Tea")
    for each in (item, there):
        await expect(each.locator(".badge")).to_have_count(0)
    # A user's own messages aren't counted as unread, but the mark shows.
    await chat.send("mine")
    await chat.expect_status("mine", "delivered")
    await chat.choose_action("mine", "Mark as unread")
    for each in (item, there):
        await expect(each.get_by_role("img", name="Marked as unread")).to_be_visible()
    await assert_accessible(chat.page)
    await chat.send("more")
    await expect(item.locator(".badge")).to_have_count(0)


async def test_a_file_alone_is_named_and_its_text_may_be_taken_away(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Files", one, two)
    api_user = await clients.api_user(one)
    path = f"/conversations/{room}/messages"
    assert (await api_user.post(path, {**FILE, "content": "a caption"})).status == 201
    assert (await api_user.post(path, {**FILE, "file_name": "alone.pdf"})).status == 201
    chat, other = await clients.chat(one), await clients.chat(two)
    item = other.page.get_by_role("navigation").get_by_role("button", name="Files")
    await expect(item).to_contain_text("alone.pdf")
    await chat.open("Files")
    await other.open("Files")
    await chat.choose_action("a caption", "Edit")
    await expect(chat.text_box).to_have_value("a caption")
    await chat.text_box.fill("")
    await chat.page.get_by_role("button", name="Save").click()
    for each in (chat, other):
        await expect(each.page.get_by_test_id("message-text")).to_have_count(0)
        await expect(each.messages).to_have_count(2)
    assert await clients.stored_texts(one, room) == ["", ""]


async def test_a_mark_that_could_not_be_set_is_told_and_tried_again(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Tea", one, two)
    await clients.post(two, room, "first")
    chat = await clients.chat(one)
    await chat.open("Tea")
    await chat.page.route("**/conversations/*/read", lambda route: route.abort())
    await chat.choose_action("first", "Mark as unread")
    dialog = chat.page.get_by_role("dialog", name="Mark as unread")
    await expect(dialog.get_by_role("alert")).to_be_visible()
    await chat.page.unroute("**/conversations/*/read")
    await dialog.get_by_role("button", name="Try again").click()
    await expect(dialog).to_have_count(0)
    item = chat.page.get_by_role("navigation").get_by_role("button", name="Tea")
    await expect(item).to_contain_text("1 unread message")
