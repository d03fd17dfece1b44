"""How the web client looks and reads: light and dark, wide and 360 px, English and Korean; axe everywhere."""

from pathlib import Path
from typing import Any, Final, Literal

import pytest
from playwright.async_api import Page, expect

from tests.browser.client import Chat, WebClients, new_user

AXE = Path(__file__).parents[2] / "services/gateway/web/node_modules/axe-core/axe.min.js"
WIDE = {"width": 1180, "height": 760}
NARROW = {"width": 360, "height": 720}
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")


async def assert_accessible(page: Page) -> None:
    """Runs axe from outside the page, whose policy admits no script."""
    await page.evaluate(AXE.read_text())
    found = await page.evaluate(
        "async () => (await axe.run({ resultTypes: ['violations'] })).violations.map("
        "each => ({ id: each.id, nodes: each.nodes.map(node => node.html + ' ' + node.failureSummary) }))"
    )
    assert found == []


async def look_at(chat: Chat, name: str) -> None:
    """Runs axe and saves a screenshot, in the light and in the dark."""
    for scheme in SCHEMES:
        await chat.page.emulate_media(color_scheme=scheme)
        await assert_accessible(chat.page)
        await chat.save_screenshot(f"{name}-{scheme}")


async def furnished(clients: WebClients, one: int) -> str:
    """Creates a conversation with everything in it; returns its title."""
    two, three = new_user(), new_user()
    room = await clients.group("Product team", one, two, three)
    direct = await clients.api_user(two)
    made = await direct.post("/conversations", {"type": "direct", "participant_ids": [one]})
    await clients.post(two, made.body["id"], "Do you have a minute?", "I pushed the fix.")
    lunch = await clients.group("점심 모임", three, one)
    await clients.post(three, lunch, "오늘 점심 뭐 먹을까요?")
    await clients.post(three, room, *(f"Note {n}: we look at the numbers again." for n in range(12)))
    [asked] = await clients.post(
        two, room, "The release notes are at https://example.org/notes, please look."
    )
    sender = await clients.api_user(three)
    answer = {"content": "Looks good to me.", "reply_to": asked["id"]}
    await sender.post(f"/conversations/{room}/messages", answer)
    await clients.post(one, room, "I'll add a paragraph\nand send it around.", "Done.")
    [wrong] = await clients.post(two, room, "oops")
    await direct.call("DELETE", f"/messages/{wrong['id']}")
    file_ = {"content": "The plan", "message_type": "file", "file_url": "https://example.org/plan.pdf"}
    await direct.post(f"/conversations/{room}/messages", {**file_, "file_name": "plan.pdf"})
    return "Product team"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("size", "viewport"), [("wide", WIDE), ("narrow", NARROW)])
async def test_a_conversation_is_accessible_and_fits(
    clients: WebClients, scheme: str, size: str, viewport: dict[str, int]
) -> None:
    one = new_user()
    title = await furnished(clients, one)
    chat = await clients.chat(one, color_scheme=scheme, viewport=viewport)
    await expect(chat.page.get_by_role("button", name=title)).to_be_visible()
    await assert_accessible(chat.page)
    await chat.save_screenshot(f"list-{size}-{scheme}")
    await chat.open(title)
    await expect(chat.messages.filter(has_text="plan.pdf")).to_be_visible()
    await assert_accessible(chat.page)
    await assert_fits(chat.page, viewport)
    await chat.save_screenshot(f"thread-{size}-{scheme}")
    await look_at_dialogs(chat, f"{size}-{scheme}", viewport)


async def look_at_dialogs(chat: Chat, name: str, viewport: dict[str, int]) -> None:
    page = chat.page
    await chat.message("Done.").click(button="right")
    await expect(page.get_by_role("menu")).to_be_visible()
    await assert_accessible(page)
    await chat.save_screenshot(f"menu-{name}")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Details").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await assert_accessible(page)
    await assert_fits(page, viewport)
    await chat.save_screenshot(f"details-{name}")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    if viewport["width"] < 720:
        await page.get_by_role("button", name="Back").click()
    await page.get_by_role("button", name="New conversation").first.click()
    await page.get_by_role("radio", name="Group").check()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await assert_accessible(page)
    await chat.save_screenshot(f"new-{name}")
    await page.keyboard.press("Escape")


async def test_korean_is_spoken_with_its_own_dates(clients: WebClients) -> None:
    one = new_user()
    title = await furnished(clients, one)
    chat = await clients.chat(one, locale="ko-KR", timezone_id="Asia/Seoul", viewport=WIDE)
    page = chat.page
    await expect(page.locator("html")).to_have_attribute("lang", "ko")
    await page.get_by_role("button", name=title).click()
    box = page.get_by_role("textbox", name="메시지", exact=True)
    await page.get_by_role("feed").evaluate("feed => { feed.scrollTop = 0 }")
    await expect(page.get_by_role("heading", name="오늘")).to_be_visible()
    await expect(page.get_by_test_id("message").last.locator("time")).to_contain_text("오")
    await assert_accessible(page)
    await box.fill("반갑습니다")
    await chat.save_screenshot("thread-korean")
    await page.get_by_role("button", name="메뉴").click()
    await page.get_by_role("radio", name="English").check()
    await expect(page.get_by_role("button", name="New conversation")).to_have_count(0)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="New conversation").first).to_be_visible()
    await expect(chat.text_box).to_have_value("반갑습니다")


async def test_the_theme_is_chosen_and_remembered(clients: WebClients) -> None:
    chat = await clients.chat(new_user(), color_scheme="light", viewport=WIDE)
    ground = "getComputedStyle(document.body).backgroundColor"
    light = await chat.page.evaluate(ground)
    await chat.page.get_by_role("button", name="Menu").click()
    await chat.page.get_by_role("radio", name="Dark").check()
    await assert_accessible(chat.page)
    await chat.save_screenshot("settings-dark")
    await chat.page.reload()
    await chat.expect_connected()
    assert await chat.page.evaluate(ground) != light


async def test_the_choice_of_a_user_is_accessible(clients: WebClients) -> None:
    page = await clients.page(await clients.context(viewport=NARROW))
    await page.goto(clients.url)
    await expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()
    await assert_accessible(page)
    await assert_fits(page, NARROW)
    await Chat(page, 0).save_screenshot("picker")
    await page.get_by_role("button", name="User 3").click()
    await expect(page.get_by_role("button", name="User 3")).to_be_visible()


async def assert_fits(page: Page, viewport: dict[str, int]) -> None:
    """Nothing overflows at the side, and no button is too small to hit."""
    assert await page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    outside: list[Any] = await page.evaluate(
        """[...document.querySelectorAll('button, input, textarea, a')]
             .map(each => [each.outerHTML.slice(0, 90), each.getBoundingClientRect()])
             .filter(([, box]) => box.width && (box.left < -1 || box.right > innerWidth + 1))
             .map(([html]) => html)"""
    )
    assert outside == []
