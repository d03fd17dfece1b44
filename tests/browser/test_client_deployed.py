"""An old page of the web client with a new server version: a part of it is gone from the server."""

import asyncio
import re

import pytest
from playwright.async_api import BrowserContext, Route, expect

from tests.browser.client import Chat, WebClients, new_user
from tests.browser.test_client_looks import NARROW, assert_accessible, assert_fits

DETAILS = re.compile(r"/assets/Details-.*\.js$")
DIALOG_FRAME = re.compile(r"/assets/DialogFrame-.*\.js$")
ENTRY = re.compile(r"/assets/index-.*\.js$")


async def not_found(route: Route) -> None:
    await route.fulfill(status=404, content_type="text/plain", body="404: Not Found")


async def a_page(route: Route) -> None:
    """Answers like a proxy that serves an application's page for every request."""
    await route.fulfill(status=200, content_type="text/html", body="<!doctype html><title>App</title>")


async def unreachable(route: Route) -> None:
    await route.abort()


async def loads_of(context: BrowserContext) -> list[str]:
    loads: list[str] = []
    context.on("request", lambda request: request.is_navigation_request() and loads.append(request.url))
    return loads


@pytest.mark.parametrize("missing", [DETAILS, DIALOG_FRAME])
@pytest.mark.parametrize("answer", [not_found, a_page, unreachable])
async def test_a_part_that_is_gone_is_told_and_comes_when_it_is_there(
    clients: WebClients, missing: re.Pattern[str], answer: object
) -> None:
    one = new_user()
    await clients.group("Deployed", one, new_user())
    context = await clients.context()
    chat = await clients.chat(one, context)
    await chat.open("Deployed")
    await chat.text_box.fill("half a thought")
    loads = await loads_of(context)
    page = chat.page
    await context.route(missing, answer)  # type: ignore[arg-type]
    await page.get_by_role("button", name="Details").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("This could not be loaded.")
    await dialog.get_by_role("button", name="Try again").click()
    await expect(dialog).to_contain_text("This could not be loaded.")
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(chat.text_box).to_have_value("half a thought")
    assert loads == []
    await context.unroute(missing)
    await page.get_by_role("button", name="Details").click()
    await expect(dialog).to_contain_text("Members")


async def test_escape_closes_the_dialog_while_its_part_is_tried_again(clients: WebClients) -> None:
    one = new_user()
    await clients.group("Slow", one, new_user())
    context = await clients.context()
    chat = await clients.chat(one, context)
    await chat.open("Slow")
    page = chat.page
    await context.route(DETAILS, unreachable)
    await page.get_by_role("button", name="Details").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("This could not be loaded.")
    await context.unroute(DETAILS)
    answer = asyncio.Event()

    async def slow(route: Route) -> None:
        await answer.wait()
        await route.abort()

    await context.route(DETAILS, slow)
    retry = dialog.get_by_role("button", name="Try again")
    await retry.click()
    await expect(retry).to_be_focused()
    await expect(retry).to_be_disabled()
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    answer.set()
    await expect(chat.text_box).to_be_visible()


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_reload_brings_the_new_version_and_keeps_the_draft(
    clients: WebClients, locale: str, scheme: str
) -> None:
    one = new_user()
    await clients.group("Reloaded", one, new_user())
    context = await clients.context(
        service_workers="allow", viewport=NARROW, locale=locale, color_scheme=scheme
    )
    chat = await clients.chat(one, context)
    page = chat.page
    await page.get_by_role("button", name="Reloaded").click()
    box = page.locator("textarea")
    await box.fill("half a thought")
    await page.context.route(DETAILS, not_found)
    await page.get_by_role("button", name=re.compile("Details|대화 정보")).click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await assert_accessible(page)
    await assert_fits(page, NARROW)
    await chat.save_screenshot(f"missing-{locale}-{scheme}")
    await page.context.unroute(DETAILS)
    async with page.expect_navigation():
        await page.get_by_role("button", name=re.compile("Reload the page|새로 고침")).click()
    await expect(box).to_have_value("half a thought")
    await page.get_by_role("button", name=re.compile("Details|대화 정보")).click()
    await expect(page.get_by_role("dialog")).to_contain_text(re.compile("Members|참여자"))


async def test_where_nothing_is_kept_the_user_learns_of_it_before_a_reload(clients: WebClients) -> None:
    one = new_user()
    await clients.group("Unkept", one, new_user())
    context = await clients.context()
    await context.add_init_script(
        "const get = () => { throw new DOMException('', 'SecurityError') };"
        "Object.defineProperty(window, 'localStorage', { get })"
    )
    chat = await clients.chat(one, context)
    await chat.open("Unkept")
    await chat.text_box.fill("half a thought")
    await context.route(DETAILS, not_found)
    await chat.page.get_by_role("button", name="Details").click()
    dialog = chat.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("a reload loses what you have not sent")
    await dialog.get_by_role("button", name="Close").click()
    await expect(chat.text_box).to_have_value("half a thought")


@pytest.mark.parametrize("answer", [not_found, a_page, unreachable])
async def test_a_page_whose_program_does_not_come_is_not_blank(clients: WebClients, answer: object) -> None:
    context = await clients.context(service_workers="allow")
    await context.route(ENTRY, answer)  # type: ignore[arg-type]
    page = await clients.page(context)
    loads = await loads_of(context)
    await page.goto(f"{clients.url}/?user_id={new_user()}")
    await expect(page.get_by_text("Messenger is starting.")).to_be_visible()
    await expect(page.get_by_text("메신저를 시작하는 중입니다.")).to_be_visible()
    await Chat(page, 0).save_screenshot("starting")
    assert len(loads) == 1
    await context.unroute(ENTRY)
    await page.get_by_role("link", name="reload the page").click()
    await expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()
    await expect(page.get_by_text("Messenger is starting.")).to_have_count(0)


@pytest.mark.parametrize("answer", [not_found, a_page, unreachable])
async def test_a_gateway_that_says_nothing_of_itself_is_asked_again(
    clients: WebClients, answer: object
) -> None:
    context = await clients.context()
    await context.route("**/config.json", answer)  # type: ignore[arg-type]
    page = await clients.page(context)
    await page.goto(clients.url)
    await expect(page.get_by_role("heading", name="The gateway does not answer")).to_be_visible()
    await context.unroute("**/config.json")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()
