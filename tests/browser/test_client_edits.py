"""Edits and replies in progress are kept while the user is elsewhere, and over a reload."""

import pytest_asyncio
from playwright.async_api import expect

from tests.browser.client import Chat, WebClients, new_user


@pytest_asyncio.fixture(loop_scope="session")
async def chat(clients: WebClients) -> Chat:
    one = new_user()
    await clients.group("한국어", one, new_user())
    chat = await clients.chat(one)
    await chat.open("한국어")
    return chat


async def test_an_edit_is_kept_while_the_user_is_elsewhere_and_over_a_reload(
    chat: Chat, clients: WebClients
) -> None:
    await clients.group("다른 곳", chat.user, new_user())
    await chat.send("처음 말")
    await chat.expect_status("처음 말", "delivered")
    await chat.text_box.press("ArrowUp")
    await expect(chat.text_box).to_have_value("처음 말")
    await chat.text_box.fill("고친 말")
    await chat.open("다른 곳")
    await expect(chat.text_box).to_have_value("")
    await chat.text_box.fill("a draft of its own")
    await chat.open("한국어")
    await expect(chat.page.locator(".composer-target")).to_contain_text("Editing your message")
    await expect(chat.text_box).to_have_value("고친 말")
    await chat.page.reload()
    await expect(chat.page.locator(".composer-target")).to_contain_text("Editing your message")
    await expect(chat.text_box).to_have_value("고친 말")
    await chat.text_box.press("Enter")
    await chat.expect_messages("고친 말")
    await expect(chat.text_box).to_have_value("")
    await expect(chat.page.locator(".composer-target")).to_have_count(0)
    await chat.page.reload()
    await chat.expect_messages("고친 말")
    await expect(chat.page.locator(".composer-target")).to_have_count(0)


async def test_an_edit_that_was_given_up_is_forgotten_and_a_reply_is_kept(
    chat: Chat, clients: WebClients
) -> None:
    await clients.group("다른 곳", chat.user, new_user())
    await chat.send("말")
    await chat.expect_status("말", "delivered")
    await chat.text_box.press("ArrowUp")
    await chat.text_box.fill("다른 말")
    # A reply to it puts the edit aside; the edit can be resumed where it stood.
    await chat.choose_action("말", "Reply")
    await chat.choose_action("말", "Edit")
    await expect(chat.text_box).to_have_value("다른 말")
    await chat.text_box.press("Escape")
    await chat.text_box.press("ArrowUp")
    await expect(chat.text_box).to_have_value("말")
    await chat.text_box.press("Escape")
    await chat.choose_action("말", "Reply")
    await chat.open("다른 곳")
    await chat.open("한국어")
    await expect(chat.page.locator(".composer-target")).to_contain_text("Replying to")


async def test_an_edit_of_what_somebody_else_changed_is_kept_and_may_be_saved(
    chat: Chat, clients: WebClients
) -> None:
    await chat.send("말")
    await chat.expect_status("말", "delivered")
    await chat.text_box.press("ArrowUp")
    await chat.text_box.fill("내가 고친 말")
    api_user = await clients.api_user(chat.user)
    rooms = (await api_user.get("/conversations")).body["items"]
    changed = {"content": "다른 기기에서 고친 말"}
    await api_user.call("PUT", f"/messages/{rooms[0]['last_message']['id']}", body=changed)
    await chat.expect_messages("다른 기기에서 고친 말")
    await chat.text_box.press("Enter")
    await expect(chat.page.get_by_role("alert")).to_contain_text("It was changed meanwhile.")
    await expect(chat.text_box).to_have_value("내가 고친 말")
    await chat.text_box.press("Enter")
    await chat.expect_messages("내가 고친 말")
