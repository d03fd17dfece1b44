"""The web client shows formatted text and large emoji, and keeps what was typed."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.client import WebClients, new_user
from tests.browser.test_client_altered import BARE
from tests.browser.test_client_looks import NARROW, WIDE, assert_accessible, assert_fits

NOTE = (
    '**"강조"**를 *기울임*, ~~취소선~~, `code **x**` and **https://example.com/_a_**\n'
    "snake_case_words, 5*3*2\n> *quoted*\n> twice\n```js\nlet a = 1;\n\n> b\n```\nend"
)
BARE_NOTE = (
    '"강조"를 기울임, 취소선, code **x** and https://example.com/_a_ '
    "snake_case_words, 5*3*2 quoted twice js let a = 1; > b end"
)
SELECTED = """() => {
  getSelection().selectAllChildren(document.querySelector('[data-testid=message-text]'));
  return String(getSelection());
}"""


async def text_of(page: Page, selector: str) -> list[str]:
    return await page.get_by_test_id("message-text").locator(selector).all_text_contents()


async def test_text_is_shown_formatted_and_kept_as_typed(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Formatted", one, two)
    chat = await clients.chat(one)
    page = chat.page
    await chat.open("Formatted")
    await chat.text_box.fill(NOTE)
    await chat.text_box.press("Enter")
    await expect(page.locator(".message-text strong")).to_have_count(2)
    assert await text_of(page, "strong") == ['"강조"', "https://example.com/_a_"]
    assert await text_of(page, "em") == ["기울임", "quoted"]
    assert await text_of(page, "s") == ["취소선"]
    assert await text_of(page, "blockquote") == ["quoted\ntwice\n"]
    assert await text_of(page, "code:not(.code-block)") == ["code **x**"]
    assert await text_of(page, "code.code-block") == ["jslet a = 1;\n\n> b\n"]
    await expect(page.locator(".message-text a")).to_have_attribute("href", "https://example.com/_a_")
    await expect(page.locator(".item-preview")).to_contain_text("기울임, 취소선, code **x** and")
    assert " ".join((await page.evaluate(SELECTED)).split()) == BARE_NOTE
    assert await clients.stored_texts(one, room) == [NOTE]
    assert await page.evaluate(BARE) == []
    await chat.text_box.press("ArrowUp")
    await expect(chat.text_box).to_have_value(NOTE)
    await expect(page.locator(".composer-target")).to_contain_text("기울임, 취소선, code")


async def test_formatting_can_be_switched_off(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Plain", one, two)
    await clients.post(two, room, "**bold** https://example.com/a")
    chat = await clients.chat(one)
    page = chat.page
    await chat.open("Plain")
    await expect(page.locator(".message-text strong")).to_have_text("bold")
    await page.get_by_role("button", name="Menu").click()
    await page.get_by_role("switch", name="quotes").uncheck()
    await assert_accessible(page)
    await page.keyboard.press("Escape")
    await chat.expect_messages("**bold** https://example.com/a")
    await expect(page.locator(".item-preview")).to_contain_text("**bold**")
    await page.reload()
    await chat.expect_messages("**bold** https://example.com/a")
    await expect(page.locator(".message-text a")).to_have_text("https://example.com/a")


async def test_without_its_formatter_the_page_shows_what_was_typed(clients: WebClients) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Unloaded", one, two)
    context = await clients.context()
    asked: list[str] = []

    async def refuse(route: Any) -> None:
        asked.append(route.request.url)
        await route.abort()

    await context.route("**/FormattedText-*.js", refuse)
    chat = await clients.chat(one, context)
    await chat.open("Unloaded")
    await clients.post(two, room, "no marks")
    await chat.expect_messages("no marks")
    assert asked == []
    await clients.post(two, room, "**bold**")
    await chat.expect_messages("no marks", "**bold**")
    await clients.post(two, room, "more")
    await chat.expect_messages("no marks", "**bold**", "more")
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("name", "viewport", "scheme", "locale"),
    [("wide-light", WIDE, "light", "en-US"), ("narrow-dark", NARROW, "dark", "ko-KR")],
)
async def test_formatted_text_is_accessible_and_fits(
    clients: WebClients, name: str, viewport: dict[str, int], scheme: str, locale: str
) -> None:
    one, two = new_user(), new_user()
    room = await clients.group("Looks", one, two)
    wide_code = "```\nconst url = 'https://example.com/" + "a" * 120 + "';\n```"
    await clients.post(two, room, NOTE, "😀 👍🏽", wide_code, "😀 not alone")
    await clients.post(one, room, "> > nested\n> quote `code`\n\nmine", "🎉🎉🎉")
    chat = await clients.chat(one, viewport=viewport, color_scheme=scheme, locale=locale)
    await chat.page.get_by_role("button", name="Looks").first.click()
    await expect(chat.page.locator(".message-text blockquote blockquote")).to_be_visible()
    texts = chat.page.get_by_test_id("message-text")
    sizes = await texts.evaluate_all("all => all.map((each) => parseFloat(getComputedStyle(each).fontSize))")
    assert [size > 30 for size in sizes] == [False, True, False, False, False, True]
    await assert_accessible(chat.page)
    await assert_fits(chat.page, viewport)
    await chat.save_screenshot(f"formatting-{name}")
