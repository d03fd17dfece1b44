"""Pinned messages in the web client: pin, the bar, the list, and the way to a message that isn't loaded."""

import asyncio

from playwright.async_api import expect

from tests.browser.client import Chat, WebClients, new_user
from tests.browser.test_client_looks import NARROW, assert_accessible, look_at
from tests.browser.test_client_speed import MESSAGES, fill


async def pin(clients: WebClients, user: int, message: str, method: str = "PUT") -> None:
    pinner = await clients.api_user(user)
    assert (await pinner.call(method, f"/messages/{message}/pin")).status in (200, 204)


async def test_an_admin_pins_and_everybody_finds_the_message(clients: WebClients) -> None:
    admin, member = new_user(), new_user()
    room = await clients.group("Board", admin, member)
    await clients.post(admin, room, *(f"Rule {number}." for number in range(3)))
    first, second = await clients.chat(admin), await clients.chat(member)
    for chat in (first, second):
        await chat.open("Board")
    for text in ("Rule 0.", "Rule 1."):
        await first.choose_action(text, "Pin")
        await expect(
            second.page.get_by_role("button", name=f"Go to the pinned message: {text}")
        ).to_be_visible()
    await second.message("Rule 2.").click(button="right")
    await expect(second.page.get_by_role("menuitem", name="Reply")).to_be_visible()
    await expect(second.page.get_by_role("menuitem", name="Pin")).to_have_count(0)
    await second.page.keyboard.press("Escape")
    await first.page.get_by_role("button", name="All (2) Pinned messages").click()
    dialog = first.page.get_by_role("dialog", name="Pinned messages")
    await expect(dialog.get_by_role("listitem")).to_contain_text(["Rule 1.", "Rule 0."])
    await assert_accessible(first.page)
    await dialog.get_by_role("button", name="Unpin").first.click()
    await expect(dialog.get_by_role("listitem")).to_contain_text(["Rule 0."])
    await dialog.get_by_role("button", name="Show in conversation").click()
    await expect(first.message("Rule 0.")).to_be_focused()
    await first.choose_action("Rule 0.", "Unpin")
    for chat in (first, second):
        await expect(chat.page.get_by_role("region", name="Pinned messages")).to_have_count(0)


async def test_a_pinned_message_far_back_is_one_press_away(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Archive", one, two)
    await asyncio.to_thread(fill, clients.stack.database_url, room, [one, two])
    reader = await clients.api_user(one)
    page = await reader.get(f"/conversations/{room}/messages", before_seq=301, limit=1)
    await pin(clients, one, page.body["items"][0]["id"])
    await clients.mark_read(one, room, MESSAGES)
    chat = await clients.chat(one)
    await chat.open("Archive")
    requests: list[str] = []
    chat.page.on("request", lambda request: requests.append(request.url))
    await chat.page.get_by_role("button", name="Go to the pinned message: Message 300:").click()
    await expect(chat.message("Message 300:")).to_be_focused()
    await expect(chat.message("Message 300:")).to_be_in_viewport()
    assert len([url for url in requests if "around=" in url]) == 1
    await clients.post(two, room, "Something new.")
    await expect(chat.page.get_by_role("button", name="Jump to the newest message")).to_contain_text("1")
    await expect(chat.message("Message 300:")).to_be_in_viewport()
    for _ in range(6):
        await chat.page.keyboard.press("PageDown")
    await expect(chat.message("Message 348:")).to_be_in_viewport()
    await chat.page.get_by_role("button", name="Jump to the newest message").click()
    await expect(chat.message("Something new.")).to_be_in_viewport()
    await expect(chat.message(f"Message {MESSAGES}:")).to_be_in_viewport()


async def bubble_top(chat: Chat, text: str) -> int:
    top: int = await chat.message(text).evaluate(
        "row => Math.round(row.querySelector('.bubble').getBoundingClientRect().top)"
    )
    return top


async def test_the_bar_does_not_move_what_is_read(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Calm", one, two)
    sent = await clients.post(two, room, *(f"Line {number}." for number in range(60)))
    await clients.mark_read(one, room, 60)
    chat = await clients.chat(one, viewport={"width": 1000, "height": 500})
    await chat.open("Calm")
    await expect(chat.message("Line 59.")).to_be_in_viewport()
    bar = chat.page.get_by_role("region", name="Pinned messages")
    for reached in ("Line 59.", "Line 35."):
        await chat.message("Line 59.").focus()
        while not await chat.message(reached).is_visible():
            await chat.page.keyboard.press("PageUp")
        await expect(chat.message(reached)).to_be_in_viewport()
        before = await bubble_top(chat, reached)
        await pin(clients, one, sent[3]["id"])
        await expect(bar).to_be_visible()
        assert await bubble_top(chat, reached) == before
        await pin(clients, one, sent[3]["id"], "DELETE")
        await expect(bar).to_have_count(0)
        assert await bubble_top(chat, reached) == before


async def test_pins_fit_360_pixels_in_korean(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("고정", one, two)
    sent = await clients.post(
        two,
        room,
        "회의는 매주 화요일 오전 열 시에 합니다. 늦지 않게 들어와 주세요.",
        "회의록은 위키에 있습니다.",
    )
    for message in reversed(sent):
        await pin(clients, one, message["id"])
    chat = await clients.chat(one, locale="ko-KR", viewport=NARROW)
    await chat.page.get_by_role("button", name="고정").first.click()
    all_pins = chat.page.get_by_role("button", name="전체 2")
    await expect(all_pins).to_be_visible()
    assert await chat.page.evaluate("document.documentElement.scrollWidth") == 360
    await look_at(chat, "pins-narrow")
    await all_pins.click()
    await expect(chat.page.get_by_role("dialog").get_by_role("listitem")).to_have_count(2)
    await look_at(chat, "pins-list")
