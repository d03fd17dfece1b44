"""Reactions in the web client: below messages, at hand, from the picker; who reacted; 360 px, Korean."""

import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import pytest
from playwright.async_api import Locator, expect

from messenger_shared.contract.text.emoji import qualified
from tests.browser.client import Chat, WebClients, new_user
from tests.browser.test_client_looks import AXE, NARROW, WIDE, assert_accessible, look_at

EMOJI = AXE.parents[2] / "src/client/emoji/emoji.gen.ts"
THUMB, HEART, PARTY = "👍", "❤️", "🎉"


async def react(clients: WebClients, user: int, message: str, emoji: str = THUMB, on: bool = True) -> None:
    reactor = await clients.api_user(user)
    method = "PUT" if on else "DELETE"
    reply = await reactor.call(method, f"/messages/{message}/reactions/{quote(emoji)}")
    assert reply.status in (200, 204), reply


def chips(chat: Chat, text: str) -> Locator:
    return chat.message(text).get_by_test_id("reactions").locator("[aria-pressed]")


async def expect_chips(chat: Chat, text: str, *expected: str, mine: Sequence[str] = ()) -> None:
    await expect(chips(chat, text)).to_have_text(list(expected))
    pressed = chat.message(text).get_by_test_id("reactions").locator("[aria-pressed=true]")
    await expect(pressed).to_have_text(list(mine))


async def test_a_reaction_of_one_is_seen_by_all_with_names(clients: WebClients) -> None:
    one, two, three = new_user(), new_user(), new_user()
    room = await clients.group("Reacting", one, two, three)
    [message] = await clients.post(two, room, "Shall we ship?")
    first, second = await clients.chat(one, viewport=WIDE), await clients.chat(two, viewport=WIDE)
    # A second tab of the same browser follows the first one's connection.
    tab = await clients.chat(one, context=first.page.context)
    for chat in (first, second, tab):
        await chat.open("Reacting")
    await first.message("Shall we ship?").hover()
    await first.page.get_by_role("button", name=HEART).click()
    await expect_chips(first, "Shall we ship?", f"{HEART}1", mine=[f"{HEART}1"])
    await expect_chips(tab, "Shall we ship?", f"{HEART}1", mine=[f"{HEART}1"])
    await expect_chips(second, "Shall we ship?", f"{HEART}1")
    await chips(second, "Shall we ship?").click()
    await react(clients, three, message["id"], PARTY)
    await expect_chips(first, "Shall we ship?", f"{HEART}2", f"{PARTY}1", mine=[f"{HEART}2"])
    await chips(first, "Shall we ship?").first.hover()
    await expect(first.page.get_by_role("tooltip")).to_contain_text(f"You and User {two}")
    await first.save_screenshot("reactions-wide")
    await chips(first, "Shall we ship?").first.click(button="right")
    dialog = first.page.get_by_role("dialog", name="Reactions")
    await expect(dialog.get_by_role("listitem")).to_contain_text([f"User {one} (You)", f"User {two}"])
    await dialog.get_by_role("radio", name=PARTY).check()
    await expect(dialog.get_by_role("listitem")).to_contain_text([f"User {three}"])
    await assert_accessible(first.page)
    await first.page.keyboard.press("Escape")
    await chips(first, "Shall we ship?").first.click()
    await expect_chips(tab, "Shall we ship?", f"{HEART}1", f"{PARTY}1")
    await expect(first.page.get_by_role("button", name="Reacting")).not_to_contain_text("unread")


async def test_with_the_keyboard_from_the_menu_through_the_picker(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Keys", one, two)
    await clients.post(two, room, "Look at this")
    chat = await clients.chat(one, viewport=WIDE)
    await chat.open("Keys")
    keyboard = chat.page.keyboard
    await chat.message("Look at this").focus()
    await keyboard.press("Enter")
    await expect(chat.page.get_by_role("menuitem", name="Reply")).to_be_focused()
    await chat.save_screenshot("reactions-menu")
    await assert_accessible(chat.page)
    await keyboard.press("ArrowUp")
    await expect(chat.page.get_by_role("menuitemcheckbox", name=THUMB)).to_be_focused()
    await keyboard.press("ArrowLeft")
    await expect(chat.page.get_by_role("menuitem", name="More emoji")).to_be_focused()
    await keyboard.press("Enter")
    search = chat.page.get_by_role("searchbox", name="Search emoji")
    await expect(search).to_be_focused()
    await assert_accessible(chat.page)
    await chat.save_screenshot("emoji-wide")
    for key in ("ArrowDown", "ArrowRight", "ArrowDown"):
        await keyboard.press(key)
    await expect(chat.page.locator("td:nth-child(2) button").nth(1)).to_be_focused()
    await keyboard.press("ArrowUp")
    await keyboard.press("ArrowUp")
    await expect(search).to_be_focused()
    await keyboard.type("party pop")
    await expect(chat.page.get_by_role("button", name="party popper")).to_be_visible()
    await assert_accessible(chat.page)
    await keyboard.press("Enter")
    await expect_chips(chat, "Look at this", f"{PARTY}1", mine=[f"{PARTY}1"])
    await expect(chat.message("Look at this")).to_be_focused()
    await keyboard.press("Tab")
    await keyboard.press("Tab")
    await expect(chips(chat, "Look at this")).to_be_focused()
    await expect(chat.page.get_by_role("tooltip")).to_contain_text("You")
    await keyboard.press("Space")
    await expect(chips(chat, "Look at this")).to_have_count(0)
    await expect(chat.message("Look at this")).to_be_focused()


async def test_a_skin_tone_counts_for_all_and_recent_ones_are_kept(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Tones", one, two)
    await clients.post(two, room, "Well done")
    chat = await clients.chat(one, viewport=WIDE)
    await chat.open("Tones")
    await open_picker(chat, "Well done", "More emoji")
    await chat.page.get_by_label("Medium", exact=True).check()
    await chat.page.get_by_role("searchbox").fill("clapping")
    await chat.page.get_by_role("button", name="clapping hands").click()
    await expect_chips(chat, "Well done", "👏🏽1", mine=["👏🏽1"])
    await chat.message("Well done").hover()
    await expect(chat.page.get_by_role("button", name="👍🏽")).to_be_visible()
    await chat.page.reload()
    await open_picker(chat, "Well done", "More emoji")
    await expect(chat.page.get_by_role("tab", name="Recently used")).to_have_attribute(
        "aria-selected", "true"
    )
    await expect(chat.page.get_by_role("grid").get_by_role("button")).to_have_text(["👏🏽"])
    await chat.page.keyboard.press("Escape")
    await expect(chat.page.get_by_role("dialog")).to_have_count(0)
    await expect(chat.message("Well done")).to_be_focused()


async def open_picker(chat: Chat, text: str, more: str) -> None:
    await chat.message(text).locator(".bubble").click(button="right")
    await chat.page.get_by_role("menuitem", name=more).click()
    await expect(chat.page.get_by_role("grid")).to_be_visible()


async def test_offline_it_waits_and_a_refused_one_says_why(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Waiting", one, two)
    [message] = await clients.post(two, room, "Are you there?")
    chat, other = await clients.chat(one, viewport=WIDE), await clients.chat(two)
    for each in (chat, other):
        await each.open("Waiting")
    await chat.page.context.set_offline(True)
    await chat.message("Are you there?").hover()
    await chat.page.get_by_role("button", name=THUMB).click()
    await expect_chips(chat, "Are you there?", f"{THUMB}1", mine=[f"{THUMB}1"])
    await chat.page.context.set_offline(False)
    await expect_chips(other, "Are you there?", f"{THUMB}1")
    for number in range(29):
        await react(clients, two, message["id"], chr(0x1F600 + number))
    await expect(chips(chat, "Are you there?")).to_have_count(30)
    await chat.message("Are you there?").hover()
    await chat.page.get_by_role("button", name="🙏").click()
    await expect(chat.page.get_by_role("alert")).to_have_text(
        "This message has too many different reactions already."
    )
    await expect(chips(chat, "Are you there?")).to_have_count(30)
    await assert_accessible(chat.page)


async def scroll_state(chat: Chat, text: str) -> dict[str, float]:
    found: dict[str, float] = await chat.message(text).evaluate(
        """row => {
          const feed = document.querySelector('[role=feed]');
          return {
            top: Math.round(row.querySelector('.bubble').getBoundingClientRect().top),
            fromEnd: Math.round(feed.scrollHeight - feed.scrollTop - feed.clientHeight),
          };
        }"""
    )
    return found


async def test_chips_do_not_move_what_is_read_and_the_end_stays_the_end(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Steady", one, two)
    sent = await clients.post(two, room, *(f"Line {number}." for number in range(60)))
    await clients.mark_read(one, room, 60)
    chat = await clients.chat(one, viewport={"width": 1000, "height": 500})
    await chat.open("Steady")
    await expect(chat.message("Line 59.")).to_be_in_viewport()
    await react(clients, two, sent[59]["id"])
    await expect_chips(chat, "Line 59.", f"{THUMB}1")
    await expect(chips(chat, "Line 59.")).to_be_in_viewport()
    assert (await scroll_state(chat, "Line 59."))["fromEnd"] <= 1
    await chat.message("Line 59.").focus()
    for _ in range(3):
        await chat.page.keyboard.press("PageUp")
    await expect(chat.message("Line 35.")).to_be_in_viewport()
    before = await scroll_state(chat, "Line 37.")
    for number in (34, 33, 58):
        await react(clients, two, sent[number]["id"])
    above = chat.message("Line 34.")
    await expect(above.get_by_test_id("reactions")).to_have_count(1)
    assert (await scroll_state(chat, "Line 37."))["top"] == before["top"]


async def test_it_fits_360_pixels_in_korean(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("반응", one, two)
    [message, mine] = [
        *(await clients.post(two, room, "오늘 저녁 같이 먹을까요?")),
        *(await clients.post(one, room, "좋아요!")),
    ]
    for emoji in (THUMB, HEART, PARTY, "😂", "😮", "🙏", "👀", "🔥", "✅"):
        await react(clients, two, message["id"], emoji)
        await react(clients, two, mine["id"], emoji)
    await react(clients, one, message["id"], HEART)
    chat = await clients.chat(one, locale="ko-KR", viewport=NARROW, has_touch=True)
    await chat.page.get_by_role("button", name="반응").first.click()
    await expect(chips(chat, "오늘 저녁")).to_have_count(9)
    assert await chat.page.evaluate("document.documentElement.scrollWidth") == 360
    await look_at(chat, "reactions-narrow")
    await long_press(chat, chips(chat, "오늘 저녁").nth(1))
    dialog = chat.page.get_by_role("dialog", name="반응")
    await expect(dialog.get_by_role("listitem")).to_have_count(2)
    await look_at(chat, "reactions-who")
    await chat.page.keyboard.press("Escape")
    # The long press has changed nothing.
    await expect(chat.message("오늘 저녁").locator(".chip[aria-pressed=true]")).to_have_text([f"{HEART}2"])
    await open_picker(chat, "좋아요!", "이모지 더 보기")
    await chat.page.get_by_role("searchbox", name="이모지 검색").fill("하트")
    await expect(chat.page.get_by_role("button", name="빨간색 하트")).to_be_visible()
    await look_at(chat, "emoji-search")
    await chat.page.get_by_role("tab", name="음식과 음료").click()
    await expect(chat.page.get_by_role("button", name="빨간 사과")).to_be_visible()
    await look_at(chat, "emoji-narrow")


async def long_press(chat: Chat, target: Locator) -> None:
    box = await target.bounding_box()
    assert box is not None
    point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    devtools = await chat.page.context.new_cdp_session(chat.page)
    await devtools.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    await expect(chat.page.get_by_role("dialog")).to_be_visible()
    await devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


async def test_the_first_page_load_has_no_emoji_list(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    await clients.group("Small", one, two)
    context = await clients.context()
    page = await clients.page(context)
    loaded: dict[str, int] = {}

    async def note(response: Any) -> None:
        if response.url.endswith(".js"):
            loaded[response.url] = len(await response.text())

    page.on("response", note)
    await page.goto(f"{clients.url}/?user_id={one}")
    await page.get_by_role("button", name="Small").click()
    await expect(page.get_by_role("feed")).to_be_visible()
    await page.wait_for_load_state("networkidle")
    # What uploads files and what shows pictures large is loaded when a user needs it.
    assert not [url for url in loaded if re.search("Emoji|engine|viewer", url)]
    assert sum(loaded.values()) < 520_000


def test_the_gateway_knows_every_emoji_of_the_picker_as_it_is_written_there() -> None:
    if not EMOJI.is_file():
        pytest.skip("the web client is not built: it has no list of emoji")
    column = re.search(r'^export const emoji = (".*");$', EMOJI.read_text(), re.MULTILINE)
    assert column is not None
    offered = json.loads(column[1]).split("\n")
    assert len(offered) > 1_800
    assert [emoji for emoji in offered if qualified(emoji) != emoji] == []
