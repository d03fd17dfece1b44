"""Names in the web client: where they stand, and what stands there until they are known."""

from __future__ import annotations

import asyncio
import secrets

import pytest
from playwright.async_api import Route, expect

from tests.browser.client import Chat, WebClients, new_user, wait_for_expression
from tests.browser.people import PICTURES, item, name, with_pictures
from tests.browser.test_client_looks import NARROW, assert_accessible, assert_fits
from tests.client import User
from tests.waiting import eventually


async def test_until_a_name_is_known_a_skeleton_is_shown_and_no_number(
    clients: WebClients, host: User
) -> None:
    one, two, three, four = new_user(), new_user(), new_user(), new_user()
    await name(host, three, "Late Arrival")
    room = await clients.group("Waiting", one, two)
    chat = await clients.chat(one)
    page = chat.page
    may_answer = asyncio.Event()

    async def hold(route: Route) -> None:
        await may_answer.wait()
        await route.continue_()

    await page.route("**/users?ids=*", hold)
    await chat.open("Waiting")
    # A page of history comes with the names of its senders.
    await expect(page.get_by_text("No messages yet")).to_be_visible()
    admin = await clients.api_user(one)
    await admin.post(f"/conversations/{room}/participants", {"user_ids": [three, four]})
    await clients.post(three, room, "I am new")
    await clients.post(four, room, "I have no name")
    sender = chat.message("I am new").locator(".sender")
    await expect(sender.locator(".name-skeleton")).to_be_visible()
    await expect(chat.message("I am new").locator(".avatar")).to_have_class("avatar loading small")
    await expect(page.get_by_text(str(three))).to_have_count(0)
    await assert_accessible(page)
    await chat.save_screenshot("people-skeleton")
    may_answer.set()
    await expect(sender).to_have_text("Late Arrival")
    # The number is only for those of whom the server knows no name.
    await expect(chat.message("I have no name").locator(".sender")).to_have_text(f"User {four}")


async def test_a_notification_waits_for_the_name_of_its_sender(clients: WebClients, host: User) -> None:
    one, two = new_user(), new_user()
    await name(host, two, "Ada Lovelace")
    room = await clients.group("Calls", one, new_user())
    context = await clients.context(permissions=["notifications"])
    await context.add_init_script(
        """class Kept { static permission = 'granted';
             constructor(title) { (window.shown ??= []).push(title) } close() {} }
           window.Notification = Kept; document.hasFocus = () => false"""
    )
    chat = await clients.listening_chat(one, context)
    await (await clients.api_user(one)).post(f"/conversations/{room}/participants", {"user_ids": [two]})
    await clients.post(two, room, "come here")
    await wait_for_expression(chat.page, "window.shown?.length === 1")
    assert await chat.page.evaluate("window.shown") == ["Ada Lovelace · Calls"]


async def test_who_types_and_who_has_read_has_a_name_and_an_avatar(clients: WebClients, host: User) -> None:
    one, two = new_user(), new_user()
    await name(host, two, "Grace Hopper", avatar_url=f"{PICTURES}/grace.png")
    room = await clients.group("Readers", one, two)
    context, _ = await with_pictures(clients)
    first, second = await clients.chat(one, context), await clients.chat(two)
    await first.open("Readers")
    await second.open("Readers")
    typing = first.page.get_by_test_id("typing").filter(has=first.page.locator(".avatar.pictured.tiny"))

    async def is_seen() -> bool:
        # Goes on typing: the other may not view the conversation yet, and the line goes by itself.
        await second.text_box.press("x")
        return "Grace Hopper is typing…" in "".join(await typing.all_inner_texts())

    await eventually(is_seen)
    await first.save_screenshot("people-typing")
    await first.send("read me")
    reader = await clients.api_user(two)
    await reader.call("PUT", f"/conversations/{room}/read", body={"seq": 1})
    await first.expect_status("read me", "read")
    await first.choose_action("read me", "Who has read it")
    dialog = first.page.get_by_role("dialog")
    await expect(dialog.locator(".person-name")).to_have_text("Grace Hopper")
    await expect(dialog.locator("img")).to_have_css("opacity", "1")


@pytest.mark.parametrize(
    ("locale", "menu", "id_label"), [("en-US", "Menu", "User id"), ("ko-KR", "메뉴", "번호")]
)
async def test_the_settings_show_the_own_profile(
    clients: WebClients, host: User, locale: str, menu: str, id_label: str
) -> None:
    one = new_user()
    external = f"{secrets.token_hex(6)}@example.org"
    await name(host, one, "Ada Lovelace", external_id=external)
    chat = await clients.chat(one, locale=locale, viewport=NARROW, color_scheme="dark")
    await chat.page.get_by_role("button", name=menu).click()
    profile = chat.page.get_by_test_id("profile")
    await expect(profile).to_contain_text("Ada Lovelace")
    await expect(profile).to_contain_text(id_label)
    await expect(profile).to_contain_text(str(one))
    await expect(profile).to_contain_text(external)
    await expect(profile.locator("input, textarea, select")).to_have_count(0)
    await assert_accessible(chat.page)
    await assert_fits(chat.page, NARROW)
    await chat.save_screenshot(f"people-profile-{locale}")


async def test_the_list_is_searched_by_names_of_conversations_not_opened_yet(
    clients: WebClients, host: User
) -> None:
    one, two, three = new_user(), new_user(), new_user()
    await name(host, two, "Ada Lovelace")
    await name(host, three, "Grace Hopper")
    for other in (two, three):
        await (await clients.api_user(other)).post(
            "/conversations", {"type": "direct", "participant_ids": [one]}
        )
    chat: Chat = await clients.chat(one)
    await expect(item(chat.page, "Ada Lovelace")).to_be_visible()
    await chat.page.get_by_role("combobox", name="Search").fill("hop")
    found = chat.page.get_by_role("group", name="Conversations").get_by_role("option")
    await expect(found).to_have_count(1)
    await expect(found).to_contain_text("Grace Hopper")
