"""Mentions in the web client: written, kept, edited, shown, and heard of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import CDPSession, Locator, Page, expect

from tests.browser.client import Chat, WebClients, new_user
from tests.browser.people import item, name
from tests.browser.test_client_altered import BARE
from tests.browser.test_client_composition import ENTER, PROCESS, compose, key
from tests.browser.test_client_looks import NARROW, WIDE, assert_accessible, assert_fits
from tests.client import User


@dataclass(frozen=True)
class Team:
    """A group: the admin 지영 and the members 김민수 and Ada Lovelace."""

    admin: int
    minsu: int
    ada: int
    room: str


@pytest_asyncio.fixture(loop_scope="session")
async def team(clients: WebClients, host: User) -> Team:
    admin, minsu, ada = new_user(), new_user(), new_user()
    for user, said in ((admin, "지영"), (minsu, "김민수"), (ada, "Ada Lovelace")):
        await name(host, user, said)
    return Team(admin, minsu, ada, await clients.group("Team", admin, minsu, ada))


def options(page: Page) -> Locator:
    return page.get_by_role("option").locator(".person-name")


async def last_message(chat: Chat, clients: WebClients, user: int, room: str) -> dict[str, Any]:
    """Returns the newest message as the gateway gives it to `user`, once `chat` has sent it."""
    await expect(chat.messages.last).to_have_attribute("data-status", "delivered")
    api_user = await clients.api_user(user)
    reply = await api_user.get(f"/conversations/{room}/messages", limit=1)
    found: dict[str, Any] = reply.body["items"][0]
    return found


async def mention(clients: WebClients, sender: int, room: str, user: int, text: str) -> None:
    """Posts a message that mentions `user` with its first word."""
    entity = {"type": "mention", "user_id": user, "offset": 0, "length": len(text.split()[0])}
    api_user = await clients.api_user(sender)
    reply = await api_user.post(f"/conversations/{room}/messages", {"content": text, "entities": [entity]})
    assert reply.status == 201, reply


async def press_enter_in_composition(input_: CDPSession, commits: str) -> None:
    """Enter while a syllable is open: the page gets the key, then the input method ends the syllable."""
    await key(input_, "rawKeyDown", PROCESS)
    await input_.send("Input.insertText", {"text": commits})
    await key(input_, "keyUp", ENTER)


async def test_the_list_follows_an_open_syllable_and_enter_picks_only_after_it(
    clients: WebClients, team: Team
) -> None:
    chat = await clients.chat(team.admin)
    page, box = chat.page, chat.text_box
    await chat.open("Team")
    input_ = await page.context.new_cdp_session(page)
    await box.press_sequentially("저기 @")
    await expect(options(page)).to_have_text(["Ada Lovelace", "김민수", "all"])
    await compose(input_, "ㅁ")
    await expect(options(page)).to_have_text(["김민수", "all"])
    await compose(input_, "미", "민")
    await expect(options(page)).to_have_text(["김민수"])
    await press_enter_in_composition(input_, "민")
    await expect(box).to_have_value("저기 @민")
    await expect(page.get_by_role("option")).to_have_attribute("aria-selected", "true")
    await expect(chat.messages).to_have_count(0)
    await box.press("Enter")
    await expect(box).to_have_value("저기 @김민수")
    await expect(page.get_by_role("option")).to_have_count(0)
    await expect(page.locator(".mention-marks mark")).to_have_text("@김민수")
    # A particle follows, and text comes before the mention.
    await compose(input_, "님")
    await input_.send("Input.insertText", {"text": "님"})
    await box.press_sequentially("이**")
    await box.press("Home")
    await box.press_sequentially("**")
    await box.press("End")
    await box.press("Enter")
    sent = page.locator(".message-text strong .mention")
    await expect(sent).to_have_text("@김민수")
    stored = await last_message(chat, clients, team.minsu, team.room)
    assert stored["content"] == "**저기 @김민수님이**"
    assert stored["entities"] == [{"type": "mention", "user_id": team.minsu, "offset": 5, "length": 4}]


async def test_a_mention_is_deleted_as_one_unit_and_comes_back_as_one(
    clients: WebClients, team: Team
) -> None:
    chat = await clients.chat(team.admin)
    page, box = chat.page, chat.text_box
    marks = page.locator(".mention-marks mark")
    await chat.open("Team")
    await box.press_sequentially("@ㅁㅅ")
    await expect(page.get_by_role("option")).to_be_visible()
    await box.press("Tab")
    await expect(box).to_have_value("@김민수")
    await box.press("Backspace")
    await expect(box).to_have_value("")
    await box.press("ControlOrMeta+z")
    await expect(box).to_have_value("@김민수")
    await expect(marks).to_have_text("@김민수")
    # As from a phone's keyboard, which tells of no key.
    await page.evaluate("document.activeElement.setSelectionRange(4, 4)")
    await page.evaluate("document.execCommand('delete')")
    await expect(box).to_have_value("")


async def test_text_that_is_typed_in_a_mention_ends_it_and_other_edits_move_it(
    clients: WebClients, team: Team
) -> None:
    chat = await clients.chat(team.admin)
    page, box = chat.page, chat.text_box
    marks = page.locator(".mention-marks mark")
    await chat.open("Team")
    await box.press_sequentially("@ㅁㅅ")
    await expect(page.get_by_role("option")).to_be_visible()
    await box.press("Enter")
    await box.press_sequentially(" and @lov")
    await expect(page.get_by_role("option")).to_be_visible()
    await box.press("Enter")
    await expect(box).to_have_value("@김민수 and @Ada Lovelace ")
    await box.press("Home")
    await box.press("ArrowRight")
    await box.press("x")
    await expect(marks).to_have_text(["@Ada Lovelace"])
    await box.press("Home")
    await box.press("Delete")
    await page.keyboard.insert_text("pasted @김민수, ")
    await expect(marks).to_have_text(["@Ada Lovelace"])
    assert await page.evaluate(BARE) == []
    await box.press("Enter")
    await expect(chat.messages).to_have_count(1)
    await expect(page.locator(".mention")).to_have_text("@Ada Lovelace")
    stored = await last_message(chat, clients, team.ada, team.room)
    [entity] = stored["entities"]
    start = entity["offset"]
    assert stored["content"][start : start + entity["length"]] == "@Ada Lovelace"
    assert stored["mentions"] == {"user_ids": [team.ada], "all": False}


async def test_mentions_outlive_the_page_and_come_back_in_an_edit(clients: WebClients, team: Team) -> None:
    chat = await clients.chat(team.admin)
    page, box = chat.page, chat.text_box
    await chat.open("Team")
    await box.press_sequentially("@ada")
    await box.press("Escape")
    await expect(page.get_by_role("option")).to_have_count(0)
    await box.press("Backspace")
    await expect(page.get_by_role("option")).to_have_count(0)
    await box.press_sequentially(" @ada")
    await page.get_by_role("option").click()
    await expect(box).to_have_value("@ad @Ada Lovelace ")
    await expect(box).to_be_focused()
    await page.reload()
    await expect(page.locator(".mention-marks mark")).to_have_text("@Ada Lovelace")
    await box.press("End")
    await box.press_sequentially("@모두")
    await expect(options(page)).to_have_text(["all"])
    await box.press("Enter")
    await box.press("Enter")
    await expect(page.locator(".mention")).to_have_text(["@Ada Lovelace", "@all"])
    stored = await last_message(chat, clients, team.ada, team.room)
    assert stored["mentions"] == {"user_ids": [team.ada], "all": True}
    await box.press("ArrowUp")
    await expect(page.locator(".mention-marks mark")).to_have_text(["@Ada Lovelace", "@all"])
    await box.press("End")
    await box.press("Backspace")
    await box.press_sequentially("@김")
    await expect(page.get_by_role("option")).to_be_visible()
    await box.press("Enter")
    await box.press("Enter")
    await expect(page.locator(".mention")).to_have_text(["@Ada Lovelace", "@김민수"])
    edited = await last_message(chat, clients, team.ada, team.room)
    assert edited["mentions"] == {"user_ids": [team.ada, team.minsu], "all": False}


async def test_a_mention_stands_out_and_can_be_gone_to(clients: WebClients, team: Team) -> None:
    chat = await clients.chat(team.minsu)
    await mention(clients, team.admin, team.room, team.minsu, "@김민수님 first")
    await clients.post(team.admin, team.room, *(f"line {n}" for n in range(70)))
    await mention(clients, team.ada, team.room, team.minsu, "@민수 second")
    await clients.post(team.ada, team.room, *(f"more {n}" for n in range(30)))
    badge = item(chat.page, "Team").locator(".badge.mentioned")
    await expect(badge).to_contain_text("2 unread mentions")
    await chat.open("Team")
    jump = chat.page.get_by_role("button", name="Go to the next mention")
    await expect(jump).to_contain_text("2 unread mentions")
    await jump.click()
    first = chat.message("first")
    await expect(first).to_be_in_viewport()
    await expect(first.locator(".mention.mine")).to_have_text("@김민수님")
    await expect(chat.page.locator(".mentions-me")).to_have_count(1)
    await expect(jump).to_contain_text("1 unread mention")
    await chat.save_screenshot("mentions-jump")
    await jump.click()
    await expect(chat.message("second")).to_be_in_viewport()
    await expect(jump).to_have_count(0)
    await expect(badge).to_have_count(0)


async def test_details_choose_what_notifies(clients: WebClients, team: Team) -> None:
    chat = await clients.chat(team.minsu)
    await chat.open("Team")
    await chat.page.get_by_role("button", name="Details").click()
    await chat.page.get_by_role("radio", name="Mentions").click()
    await expect(chat.page.get_by_role("radio", name="Mentions")).to_be_checked()
    await assert_accessible(chat.page)
    reader = await clients.api_user(team.minsu)
    settings = await reader.get(f"/conversations/{team.room}/settings")
    assert settings.body["notify"] == "mentions"
    await chat.page.get_by_role("switch", name="Mute").click()
    await expect(chat.page.get_by_role("radio", name="Mentions")).to_be_disabled()


@pytest.mark.parametrize(
    ("look", "viewport", "scheme", "locale"),
    [("wide-light", WIDE, "light", "en-US"), ("narrow-dark", NARROW, "dark", "ko-KR")],
)
async def test_mentions_are_accessible_and_fit(
    clients: WebClients, team: Team, look: str, viewport: dict[str, int], scheme: str, locale: str
) -> None:
    await mention(clients, team.admin, team.room, team.ada, "@AdaLovelaceTheFirstProgrammerOfAllTimes 👍")
    await mention(clients, team.ada, team.room, team.admin, "@지영님 가 볼까요?")
    chat = await clients.chat(
        team.admin, viewport=viewport, color_scheme=scheme, locale=locale, has_touch=viewport == NARROW
    )
    page = chat.page
    await expect(item(page, "Team").locator(".badge.mentioned")).to_be_visible()
    await assert_accessible(page)
    await chat.save_screenshot(f"mentions-list-{look}")
    await item(page, "Team").click()
    box = page.locator("textarea")
    await box.press_sequentially("@ada")
    option = page.get_by_role("option")
    await (option.tap() if viewport == NARROW else option.click())
    await box.press_sequentially("hello @")
    await expect(option).to_have_count(3)
    await box.press("ArrowDown")
    await expect(box).to_have_attribute("aria-activedescendant", await option.first.get_attribute("id") or "")
    await assert_accessible(page)
    await assert_fits(page, viewport)
    await chat.save_screenshot(f"mentions-{look}")
    await box.press("Escape")
    await expect(page.locator(".mention.mine")).to_be_visible()
    await assert_accessible(page)
    await assert_fits(page, viewport)
    await chat.save_screenshot(f"mentions-thread-{look}")
